"""What stands in the tables: rows that look like a translated site's texts.

A row is `key|language|value`, ends in a newline, and is drawn from the random
generator that the caller passes: the same seed gives the same bytes. Only
`random()`, `choices` and `randbytes` are used, which Python keeps stable.
"""

from __future__ import annotations

from random import Random
from typing import Final

from pytest_reedbackup.databases.spec import Contents

_AREAS, _PARTS, _ASPECTS = (
    words.split()
    for words in (
        "menu page footer login search profile basket order invoice settings error help blog "
        "media contact privacy calendar report editor upload",
        "header title intro body button link label hint image table list form field note step "
        "badge tab price date author summary total status filter",
        "text alt short long open close save next back empty error ok one many first last all "
        "none new old top left right end min max on off in out",
    )
)

_VOCABULARY: Final = {
    "en": (
        "the our your all new page order price list delivery search account please choose save "
        "changes next back open close today tomorrow week welcome questions answers contact "
        "payment received could not be found try again later free shipping within days and or "
        "with without more less read about privacy terms password forgotten language settings"
    ),
    "de": (
        "die der das unsere Ihre alle neue Seite Bestellung Preis Liste Lieferung Suche Konto "
        "bitte wählen speichern Änderungen weiter zurück öffnen schließen heute morgen Woche "
        "Willkommen Fragen Antworten Kontakt Zahlung erhalten konnte nicht gefunden werden "
        "später kostenloser Versand Tage und oder mit ohne mehr über Datenschutz Größe Straße "
        "Übersicht"
    ),
    "fr": (
        "le la les notre votre toutes nouvelle page commande prix liste livraison recherche "
        "compte veuillez choisir enregistrer modifications suivant précédent ouvrir fermer "
        "aujourd'hui demain semaine bienvenue questions réponses contact paiement reçu être "
        "trouvé réessayez gratuit jours et ou avec sans plus à propos confidentialité élève "
        "cœur"
    ),
    "es": (
        "el la los nuestra su todas nueva página pedido precio lista entrega búsqueda cuenta "
        "por favor elegir guardar cambios siguiente atrás abrir cerrar hoy mañana semana "
        "bienvenido ¿preguntas? respuestas contacto pago recibido no se pudo encontrar después "
        "gratis días con sin más acerca de privacidad contraseña idioma ajustes año niño"
    ),
    "pl": (
        "nasza twoje wszystkie nowa strona zamówienie cena lista dostawa szukaj konto proszę "
        "wybierz zapisz zmiany dalej wstecz otwórz zamknij dziś jutro tydzień witamy pytania "
        "odpowiedzi kontakt płatność nie znaleziono spróbuj później darmowa wysyłka dni i lub "
        "bez więcej mniej o prywatności hasło język ustawienia żółw źródło"
    ),
    "el": (
        "η το σελίδα παραγγελία τιμή λίστα αναζήτηση επιλέξτε αποθήκευση πίσω σήμερα αύριο "
        "εβδομάδα καλώς ερωτήσεις πληρωμή δεν βρέθηκε ξανά δωρεάν ημέρες και ή με χωρίς γλώσσα"
    ),
    "ja": (
        "ご注文 お支払い 検索 次へ 戻る 保存 変更 を選択 "
        "してください 今日 明日 東京 配送 無料 "
        "アカウント パスワード 言語 設定 質問 回答 お問い合わせ ページ "
        "見つかりません 一覧 価格"
    ),
    "ar": (
        "الصفحة الطلب السعر قائمة التوصيل بحث الحساب اختر حفظ التالي رجوع فتح إغلاق اليوم غدا "
        "أسبوع مرحبا أسئلة الدفع لم يتم العثور مجانا أيام و أو مع بدون اللغة"
    ),
    "zh": (
        "订单 价格 列表 搜索 帐户 "
        "请 选择 保存 更改 下一步 返回 打开 关闭 今天 明天 欢迎 问题 "
        "付款 未找到 免费 送货 天 语言 设置 密码 🙂 🚀 ✅ 👩\u200d💻 🇪🇺"
    ),
}
_WORDS: Final = {language: words.split() for language, words in _VOCABULARY.items()}
_LANGUAGES: Final = tuple(_WORDS)

# How many words a value has; scripts of three bytes a character need fewer.
_LENGTHS: Final = (1, 2, 3, 4, 5)
_DENSE: Final = frozenset(("el", "ja", "ar", "zh"))

HEADERS: Final[dict[Contents, bytes]] = {
    "text": b"key|language|value\n",
    "binary": b"key|value\n",
}


def rows(contents: Contents, rng: Random, first: int, count: int) -> bytes:
    """Return `count` rows, the first of them with number `first`: no two numbers share a key."""
    if contents == "binary":
        return b"".join(b"%06d|%s" % (n, _binary_value(rng)) for n in range(first, first + count))
    return "".join(_text_rows(rng, first, count)).encode()


def changed(contents: Contents, rng: Random, row: bytes) -> bytes:
    """Return `row` with another value, in its own language."""
    key, _, old = row.rpartition(b"|")
    new = old
    while new == old:
        if contents == "binary":
            new = _binary_value(rng)
        else:
            new = _value(rng, key.rpartition(b"|")[2].decode()).encode() + b"\n"
    return key + b"|" + new


def _text_rows(rng: Random, first: int, count: int) -> list[str]:
    """Yield every key in all languages before the next key, as translators keep them."""
    made: list[str] = []
    skipped = first % len(_LANGUAGES)
    for start in range(first - skipped, first + count, len(_LANGUAGES)):
        key = _key(start // len(_LANGUAGES))
        made += [f"{key}|{language}|{_value(rng, language)}\n" for language in _LANGUAGES]
    return made[skipped : skipped + count]


def _value(rng: Random, language: str) -> str:
    """Return a few words; every other value has a number: a price, a year, an order."""
    drawn = rng.random()
    length = _LENGTHS[int(drawn * len(_LENGTHS))]
    words = rng.choices(_WORDS[language], k=(length + 1) // 2 if language in _DENSE else length)
    number = int(drawn * 1e9) % 200_000
    if number < 100_000:
        words.append(str(number))
    return " ".join(words)


def _key(number: int) -> str:
    rest, aspect = divmod(number, len(_ASPECTS))
    rest, part = divmod(rest, len(_PARTS))
    round_, area = divmod(rest, len(_AREAS))
    key = f"{_AREAS[area]}.{_PARTS[part]}.{_ASPECTS[aspect]}"
    return f"{key}.{round_}" if round_ else key


def _binary_value(rng: Random) -> bytes:
    """Return bytes that are no UTF-8 (0xff never is), NUL among them; the row stays one line."""
    return b"\xff\0%s\n" % rng.randbytes(24).translate(None, b"\n|")
