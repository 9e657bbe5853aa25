"""Word lists of the QA sample; each split takes its own share of every list."""

WOMEN = """
Adela Agnete Alma Amabel Anneli Ardith Beata Berit Bronwen Calla Carys Cosima Dagny
Delphine Dorothea Edda Eileen Elspeth Ernestine Esme Fenella Flora Frida Gerda Greta
Gwenda Hanne Hedda Helga Honor Ida Ilse Imogen Ingrid Isolde Jessamy Jorunn Karin
Kirsten Leonie Linnea Liv Lorna Magda Maren Matilda Merete Mina Morwenna Nadine Nerys
Odile Olwen Oriel Petra Philippa Ragna Renata Rhona Rosalind Sabine Signe Silke Solveig
Sunniva Tamsin Thea Tilda Una Ursula Verity Vilma Wanda Wilma Yrsa Zelda
""".split()

MEN = """
Aidan Albin Aldous Alfons Ambrose Anders Ansel Arvid Barnaby Bertil Bjorn Casper Cedric
Conrad Cyril Dietmar Douglas Edmund Egon Einar Emil Erasmus Evander Fergus Florian
Frederik Gareth Gideon Gilbert Gustav Halvor Hamish Hartwig Henning Hugo Ignatius Ivor
Jasper Joachim Jonas Kasimir Kjell Lambert Laurens Leopold Linus Ludvig Magnus Malachi
Matthias Mortimer Nils Oskar Osric Otto Percival Piers Quentin Ragnar Reinhold Roderick
Rufus Rupert Sigurd Silas Stellan Tancred Theodor Tobias Torben Ulrich Valentin Viggo
Walter Wendel Yorick
""".split()

SURNAMES = """
Abelgren Ackerby Ahlmark Amsel Arkwell Aspinder Bakstad Barrowin Bellhurst Bergholt
Birkmyre Blakelund Bramley Brandvold Brockell Calderby Carnaby Castervig Chillmark
Corvane Crandell Dallander Darnwood Delacort Dovrin Draycott Dunmoor Eckersten Edgerly
Ellingboe Enderlin Eskdale Fairbrow Falkner Fenwright Fjeldstad Forsyne Galloway
Garnhill Gellert Gislason Gravesen Greenhow Hagelund Halvard Harkness Hasselby Heatherly
Hindmarch Holmquist Hovland Ibbotson Ingerslev Isherwin Jardell Jernigan Kalstrom
Kelloway Kestrel Kinsgard Kvale Langmoor Larkham Leversedge Lindqvist Loxley Lundegard
Maddern Malmstrom Marchbank Meldrum Middlow Morrick Narvesen Nethercott Norrington
Oakeshott Odegard Olliver Ormsby Osterby Pallister Pargeter Penhallow Pettersby Quillan
Rackstraw Ravensby Redmayne Ringdal Rosenvinge Rowantree Sallander Sandvik Scarisby
Selvig Severin Skarsgard Somerwell Stavely Strandell Sundberg Tallis Tanqueray Thackray
Thornquist Tolvanen Trevanion Ulfsby Underhay Vanterpool Varley Vestergard Wakelin
Wallgren Wetherell Whinfield Winstrand Wroxall Yelverton Zetterlund
""".split()

TOWN_STEMS = """
Alder Amber Ard Barn Beck Birken Bran Brim Carr Cath Cold Cran Dale Dun Eagle Elm Elder
Fal Fen Firth Gale Garth Glen Gorse Grim Hal Haver Hazel Heron Hex Holl Ink Ivy Jar Kel
Kest Kirk Lang Lark Lind Lox Lyn Mal Marl Mell Mill Nether Nor Oaken Orm Oster Pel Pen
Pol Quarn Rams Raven Rook Rush Sal Scar Sel Skel Sol Stan Swin Tarn Thor Tol Ulver Ush
Vel Wend Whit Wil Wych Yar Yew Zel
""".split()

TOWN_ENDINGS = (
    "ford by ham wick ton stead mouth dale borough haven well field minster".split()
)

WATERS = """
Aune Arrel Brathe Bresk Callow Cherrow Darve Dessel Elvane Ettle Farrow Fesk Galder
Glisse Harl Hennet Irthe Isker Jarrow Jelle Kerse Krone Lathe Lorrin Medda Morle Nadder
Nisk Orrin Otterel Parle Pesk Quell Querne Rasse Rindle Saffle Sorne Tamble Tresk Ulle
Umber Varne Vessel Wenlow Wharle Yarle Yeddle Zarne Zwill Ashlow Birle Crissel Dorne
Emmel Frome Gwill Hessle Ivel Kinder
""".split()

COINED_HEADS = """
Alv Ber Cal Dor Ebb Fal Gor Hel Ist Jun Kar Lum Mir Nov Ort Pal Quin Rel Sev Tor Ulm Ver
Wol Xan Yol Zim Bex Cor Dra Est Fro Gim Hov Ild Jas Kel
""".split()

COINED_TAILS = "ano ex ion aris ett ula omar iko enta axis olin ura idon emma".split()

TITLE_ADJECTIVES = """
Silent Crimson Patient Borrowed Northern Broken Gilded Hollow Restless Winter Scarlet
Wandering Forgotten Marble Paper Bitter Golden Sleeping
""".split()

TITLE_NOUNS = """
Orchard Lantern Harbour Staircase Meadow Compass Tailor Garden Window Mirror Ferry Clock
Bell Violin Forest Baker Causeway Feather Letter Hour Mountain Shepherd Kingdom Tide
Weaver Winter Attic Sparrow Bridge Castle Candle Voyage Stranger Mill Summer Carousel
""".split()

SHIP_ADJECTIVES = (
    "Grey Bold Merry Gallant Swift Proud Silver Steadfast Blue Brave".split()
)

SHIP_NOUNS = """
Petrel Cormorant Gannet Dolphin Heron Plover Tern Osprey Curlew Otter Falcon Kittiwake
Porpoise Merlin Puffin Swan Pelican Marten Fulmar Walrus Lapwing Badger Dunlin Eider
""".split()

MATERIALS = """
granite, sandstone, oak, limestone, brick, slate, cast iron, larch, marble, flint,
basalt, elm
"""

COLOURS = (
    "red, dark green, white, pale blue, yellow, black, crimson, grey, violet, brown"
)

TRADES = """
carpenter, baker, surveyor, blacksmith, tailor, doctor, fisherman, printer, clockmaker,
mason, gardener, lawyer, weaver, chemist, miller, saddler, pharmacist, potter, cooper,
glazier
"""

HERBS = "thyme, sage, dill, mint, rosemary, tarragon, fennel, chives, parsley, savory"

FRUITS = """
plums, pears, apples, cherries, quinces, apricots, gooseberries, damsons, figs, currants
"""

FARAWAY = """
the northern coast, the southern marshes, the eastern plain, the western hills, the
upper valley, the lake country, the border hills, the salt coast, the central plateau,
the river delta
"""

MONTHS = """
January February March April May June July August September October November December
""".split()

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
