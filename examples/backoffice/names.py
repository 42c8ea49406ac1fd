"""Common names, languages and telephone ranges by country, from which people are invented.

Telephone numbers come only from ranges that the authorities keep free for films and books
(Bundesnetzagentur, Ofcom, Arcep, PTS), so that no sample number can reach a person.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """What people of one country are called and how they are reached."""

    code: str
    language: str
    given: tuple[str, ...]
    family: tuple[str, ...]
    work_phone: str = "+49 30 23125 {:03d}"
    mobile_phone: str = "+49 171 39200 {:02d}"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COUNTRIES: tuple[Country, ...] = (
    Country(
        "DE",
        "de",
        _words("Jürgen Björn Günther Käthe Jörg Sören Anna Lena Uwe Sabine Thomas Petra Heiko Ute"),
        _words("Müller Schröder Köhler Schäfer Groß Weiß Böhm Krüger Jäger Hübner Meier Becker"),
    ),
    Country(
        "AT",
        "de",
        _words("Florian Elfriede Matthias Christa Gernot Traude Lukas Jörg Veronika Alois"),
        _words("Gruber Höller Pichler Lößl Wögerer Bäuerle Haselböck Fröschl Steiner Mayr"),
    ),
    Country(
        "CH",
        "de",
        _words("Urs Beat Reto Käthi Vreni Andrea Ruedi Corinne Yves Zoé"),
        _words("Bächtold Zürcher Käser Aebi Rüegg Favre Lüthi Brönnimann Frei Näf"),
    ),
    Country(
        "NL",
        "nl",
        _words("Daan Sanne Joël Zoë Maarten Femke Jeroen Anouk Bram Noëlle"),
        ("de Vries", "van den Berg", "Janssen", "Bakker", "van Dijk", "Visser", "Smit", "Mulder"),
    ),
    Country(
        "FR",
        "fr",
        _words("François Hélène Benoît Noémie Jérôme Chloé Gaëlle René Aurélie Loïc"),
        _words("Lefèvre Béranger Françoise Gérard Müntz Dubois Chevalier Noël Fabre Leclerc"),
        "+33 1 99 00 {:02d} {:02d}",
        "+33 6 39 98 {:02d} {:02d}",
    ),
    Country(
        "ES",
        "es",
        _words("José María Íñigo Begoña Andrés Lucía Raúl Inés Óscar Nuria"),
        _words("Muñoz Ibáñez Núñez García Peña Gómez Yáñez Castaño Rodríguez Ordóñez"),
    ),
    Country(
        "PL",
        "pl",
        _words("Łukasz Małgorzata Paweł Żaneta Michał Agnieszka Stanisław Zofia Sławomir Ewa"),
        _words("Wiśniewski Wójcik Kamińska Zieliński Szymańska Dąbrowski Król Łuczak Żak Nowak"),
    ),
    Country(
        "CZ",
        "cs",
        _words("Jiří Tomáš Eliška Ondřej Zdeněk Věra Štěpán Růžena Lukáš Tereza"),
        _words("Novák Dvořák Černý Procházka Kučera Veselý Šimek Růžička Beneš Hájek"),
    ),
    Country(
        "SE",
        "sv",
        _words("Åsa Göran Björn Märta Håkan Örjan Linnéa Sören Ulla Per"),
        _words("Åkesson Söderberg Öberg Sjöström Lindqvist Hägg Nyström Ekström Berg Lundin"),
        "+46 8 465 004 {:02d}",
    ),
    Country(
        "GB",
        "en",
        _words("Oliver Siân Zoë Harriet Callum Imogen Rhys Chloë Nigel Fiona"),
        ("O'Connor", "Smith-Jones", "Brontë", "Fletcher", "Wright", "Evans", "Patel", "Walker"),
        "+44 20 7946 0{:03d}",
        "+44 7700 900{:03d}",
    ),
)

COMPANY_WORDS = _words(
    "Aurora Birke Cobalt Delta Elbe Falke Granit Hafen Isar Juwel Kranich Linde Mistral Nordstern "
    "Orion Prisma Quelle Rotkehlchen Saturn Tanne Ulme Vektor Walnuss Xenon Ypsilon Zeder"
)
COMPANY_FORMS = _words("Handel Logistik Bau Textil Werkzeug Verlag Technik Pflege Energie Reisen")
