"""Where the sandbox's buyers live: countries, scripts, currencies, names, addresses and remarks.

Everything here is made up; cities exist, the people do not. The choice covers what order data has
to survive: Latin with accents, Cyrillic, Greek, simplified and traditional Chinese, Japanese,
Korean, Arabic, Hebrew, Thai and Devanagari, currencies without decimals, and countries that use no
postal codes (``HK``, ``AE``, ``IE`` in older data).
"""

from __future__ import annotations

from typing import NamedTuple


class Site(NamedTuple):
    """One delivery address; ``postal_code`` is empty where the country has none."""

    street: str
    city: str
    province: str
    postal_code: str


class Place(NamedTuple):
    """One country with the people and sites orders are drawn from."""

    code: str
    """ISO 3166 code of two letters."""
    name: str
    """English name, as Alibaba writes countries."""
    currency: str
    dial: str
    """Country calling code with its plus sign."""
    people: tuple[str, ...]
    sites: tuple[Site, ...]
    remarks: tuple[str, ...]


CURRENCY_DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0}
"""Currencies that differ from the usual two decimals."""

PLACES: tuple[Place, ...] = (
    Place(
        "US",
        "United States",
        "USD",
        "+1",
        ("Dana O'Neill", "Marcus Whitfield", "Priya Raghunathan"),
        (
            Site("1420 Cedar Ridge Rd, Unit 5", "Columbus", "Ohio", "43215"),
            Site("88 Harbor Loop", "Portland", "Maine", "04101"),
            Site("3rd Floor, 17 W 28th St", "New York", "New York", "10001-4502"),
        ),
        ("Please call before delivery.", "Leave at dock 4, Mon-Fri 8:00-15:00 only."),
    ),
    Place(
        "GB",
        "United Kingdom",
        "GBP",
        "+44",
        ("Aoife Brennan", "Rhys Llewellyn-Jones", "Imogen Carter"),
        (
            Site(
                "Unit 9, Albion Works, Pollard Street", "Manchester", "Greater Manchester", "M4 7AJ"
            ),
            Site("2 Heol y Gader", "Dolgellau", "Gwynedd", "LL40 1RA"),
        ),
        ("No signature needed.", "Invoice must show our EORI number, thanks!"),
    ),
    Place(
        "DE",
        "Germany",
        "EUR",
        "+49",
        ("Jürgen Weißhäupl", "Annegret Müller-Lüdenscheidt", "Sören Großmann"),
        (
            Site("Königsallee 14b", "Düsseldorf", "Nordrhein-Westfalen", "40212"),
            Site("Straße des 17. Juni 3, Hinterhaus", "Berlin", "Berlin", "10623"),
        ),
        ("Bitte ohne Werbematerial verpacken.", "Anlieferung nur über Tor 2 (Gefälle!)"),
    ),
    Place(
        "FR",
        "France",
        "EUR",
        "+33",
        ("Zoé Lefèvre", "Jérôme d'Aubigné", "François Le Bœuf"),
        (
            Site("12 bis, rue de l'Église", "Évreux", "Normandie", "27000"),
            Site("Zone d'activités « Les Noës »", "Besançon", "Bourgogne-Franche-Comté", "25000"),
        ),
        ("Merci de prévenir la réception dès l'expédition.", "Fragile — ne pas gerber."),
    ),
    Place(
        "ES",
        "Spain",
        "EUR",
        "+34",
        ("Íñigo Peña Núñez", "María José Güell"),
        (
            Site("Carrer de l'Om 7, 2º 1ª", "L'Hospitalet de Llobregat", "Barcelona", "08902"),
            Site("C/ Peñón de Ifach s/n", "Logroño", "La Rioja", "26003"),
        ),
        ("¿Pueden enviarlo antes del día 15?", "Llamar al llegar."),
    ),
    Place(
        "PL",
        "Poland",
        "PLN",
        "+48",
        ("Żaneta Wójcik", "Łukasz Śliwiński"),
        (Site("ul. Świętokrzyska 31/33 m. 8", "Łódź", "łódzkie", "90-001"),),
        ("Proszę o fakturę VAT UE.", "Dostawa tylko kurierem."),
    ),
    Place(
        "CZ",
        "Czech Republic",
        "CZK",
        "+420",
        ("Jiří Dvořáček", "Markéta Řezníčková"),
        (Site("Náměstí Míru 820/9", "Ústí nad Labem", "Ústecký kraj", "400 01"),),
        ("Prosíme volat den předem.",),
    ),
    Place(
        "SE",
        "Sweden",
        "SEK",
        "+46",
        ("Åsa Björkström", "Östen Järvinen"),
        (Site("Sjöängsvägen 2, uppg. Ö", "Älmhult", "Kronobergs län", "343 34"),),
        ("Ring innan leverans, tack.",),
    ),
    Place(
        "HU",
        "Hungary",
        "HUF",
        "+36",
        ("Szűcs Győző", "Őry Tünde"),
        (Site("Kőbányai út 41/C, II. em. 3.", "Hódmezővásárhely", "Csongrád-Csanád", "6800"),),
        ("Kérjük, ne daraboljanak csomagot.",),
    ),
    Place(
        "TR",
        "Turkey",
        "TRY",
        "+90",
        ("İpek Yıldırım", "Çağrı Gökçe Şahin"),
        (Site("Atatürk Mah. Işıklar Cad. No: 12/4", "Ümraniye", "İstanbul", "34764"),),
        ("Lütfen faturayı kutuya koymayın.",),
    ),
    Place(
        "BR",
        "Brazil",
        "BRL",
        "+55",
        ("João Antônio Conceição", "Luíza Gonçalves"),
        (Site("Rua Guimarães Rosa, 455 – apto. 1203", "São Luís", "Maranhão", "65010-000"),),
        ("CPF do destinatário na etiqueta, por favor.", "Não dividir o envio."),
    ),
    Place(
        "MX",
        "Mexico",
        "MXN",
        "+52",
        ("Xóchitl Ibáñez", "Ángel Muñoz Cárdenas"),
        (Site("Av. Niños Héroes 210, Col. Doctores", "Cuauhtémoc", "Ciudad de México", "06720"),),
        ("Entregar en horario de oficina.",),
    ),
    Place(
        "CL",
        "Chile",
        "CLP",
        "+56",
        ("Nicolás Huenchumán",),
        (Site("Camino a Ñuñoa 1180", "Chillán", "Ñuble", "3780000"),),
        ("Sin apuro, gracias.",),
    ),
    Place(
        "VN",
        "Vietnam",
        "VND",
        "+84",
        ("Nguyễn Thị Thúy Hằng", "Đỗ Quốc Vượng"),
        (
            Site(
                "Số 18/3 đường Lê Lợi, phường Bến Nghé", "Quận 1", "Thành phố Hồ Chí Minh", "700000"
            ),
        ),
        ("Giao hàng trong giờ hành chính.",),
    ),
    Place(
        "RU",
        "Russian Federation",
        "USD",
        "+7",
        ("Ёлкина Фёкла Ильинична", "Щербаков Юрий"),
        (
            Site(
                "ул. Большая Ордынка, д. 17, стр. 1, кв. 45",
                "Йошкар-Ола",
                "Республика Марий Эл",
                "424000",
            ),
        ),
        ("Пожалуйста, упакуйте в плотную плёнку.",),
    ),
    Place(
        "UA",
        "Ukraine",
        "EUR",
        "+380",
        ("Ґудзь Єлизавета", "Ященко Ігор"),
        (Site("вул. Гоголівська, 8, під'їзд 2", "Переяслав", "Київська область", "08400"),),
        ("Телефонуйте за годину до доставки.",),
    ),
    Place(
        "BG",
        "Bulgaria",
        "EUR",
        "+359",
        ("Цветелина Щерева",),
        (Site("бул. „Цар Освободител“ 15, ет. 4", "Шумен", "Шумен", "9700"),),
        ("Моля, пишете на кирилица върху кашона.",),
    ),
    Place(
        "GR",
        "Greece",
        "EUR",
        "+30",
        ("Ελευθερία Παπαϊωάννου", "Χρήστος Ζαΐμης"),
        (Site("Λεωφόρος Κηφισίας 124 & Ιατρίδου", "Αμπελόκηποι", "Αττική", "115 26"),),
        ("Παρακαλώ τηλεφωνήστε πριν την παράδοση.",),
    ),
    Place(
        "CN",
        "China",
        "CNY",
        "+86",
        ("欧阳晓峰", "李梓涵"),
        (
            Site("余杭区文一西路969号3号楼5层", "杭州市", "浙江省", "311121"),
            Site("朝阳区酒仙桥路10号院甲12号", "北京市", "北京市", "100016"),
        ),
        ("请尽快发货，谢谢！", "包装要结实，不要放发票。"),
    ),
    Place(
        "TW",
        "Taiwan, China",
        "TWD",
        "+886",
        ("陳怡蓁", "龔鑫濤"),
        (Site("中山區復興南路一段390號12樓之3", "臺北市", "臺北市", "104"),),
        ("請於週六前送達，麻煩您了。",),
    ),
    Place(
        "HK",
        "Hong Kong, China",
        "HKD",
        "+852",
        ("黃詠嫻", "Cheung Kwok-Wai"),
        (Site("觀塘鴻圖道57號南洋廣場9樓B室", "九龍", "香港", ""),),
        ("唔該寫明收件人全名。",),
    ),
    Place(
        "JP",
        "Japan",
        "JPY",
        "+81",
        ("髙橋 さくら", "渡邉 健一"),
        (Site("千代田区丸の内一丁目9番2号 グラントウキョウ18階", "東京", "東京都", "100-6618"),),
        ("午前中の配達を希望します。", "ギフトのため納品書は同梱しないでください。"),
    ),
    Place(
        "KR",
        "South Korea",
        "KRW",
        "+82",
        ("김서연", "박준호"),
        (Site("테헤란로 152, 강남파이낸스센터 27층", "강남구", "서울특별시", "06236"),),
        ("부재 시 경비실에 맡겨 주세요.",),
    ),
    Place(
        "SA",
        "Saudi Arabia",
        "SAR",
        "+966",
        ("عبد الرحمن بن سعيد القحطاني", "نورة الشهري"),
        (Site("حي العليا، شارع التخصصي، مبنى ٧٤٢٠", "الرياض", "منطقة الرياض", "12211"),),
        ("يرجى الاتصال قبل التسليم بساعة.",),
    ),
    Place(
        "AE",
        "United Arab Emirates",
        "AED",
        "+971",
        ("خالد المنصوري", "Fatima Al-Hashimi"),
        (Site("Warehouse 12, Al Quoz 3, شارع ٨", "Dubai", "Dubai", ""),),
        ("No postal code here, P.O. Box 1180.",),
    ),
    Place(
        "IL",
        "Israel",
        "ILS",
        "+972",
        ("נועה בן־דוד", "יצחק שלום"),
        (Site("רחוב הרצל 12, דירה 3", "תל אביב-יפו", "מחוז תל אביב", "6688312"),),
        ("נא להתקשר לפני המסירה.",),
    ),
    Place(
        "TH",
        "Thailand",
        "THB",
        "+66",
        ("สมชาย ใจดีเลิศ", "กัญญารัตน์ ศรีสุข"),
        (Site("99/7 ซอยสุขุมวิท 24 แขวงคลองตัน", "เขตคลองเตย", "กรุงเทพมหานคร", "10110"),),
        ("กรุณาโทรก่อนส่งของ",),
    ),
    Place(
        "IN",
        "India",
        "INR",
        "+91",
        ("श्रीमती ऋचा द्विवेदी", "Karthik Subramaniam"),
        (Site("मकान नं. 42, गली संख्या 3, लाजपत नगर", "नई दिल्ली", "दिल्ली", "110024"),),
        ("कृपया डिब्बे पर नाम हिंदी में लिखें।", "GST invoice required."),
    ),
    Place(
        "IE",
        "Ireland",
        "EUR",
        "+353",
        ("Séamus Ó Súilleabháin",),
        (Site("Baile an Bhóthair, Oughterard", "Galway", "Co. Galway", ""),),
        ("Eircode not known, ask in the shop.",),
    ),
    Place(
        "AU",
        "Australia",
        "AUD",
        "+61",
        ("Charlotte Nguyen", "Lachlan McAllister"),
        (Site("Shed 3/41 Wirraway Dr", "Port Melbourne", "Victoria", "3207"),),
        ("Authority to leave.",),
    ),
)
"""Thirty countries; every block of a hundred orders uses each of them at least three times."""
