"""What stands in the tables: rows that look like a translated site's texts.

A row is `key|language|value`, ends in a newline, and is drawn from the random
generator that the caller passes: the same seed gives the same bytes. Only
`random()`, `choices` and `randbytes` are used, which Python keeps stable.
"""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Final

from .spec import Contents

_AREAS: Final = (
    "menu page footer login search profile basket order invoice settings error help blog media "
    "contact privacy calendar report editor upload"
).split()
_PARTS: Final = (
    "header title intro body button link label hint image table list form field note step badge "
    "tab price date author summary total status filter"
).split()
_ASPECTS: Final = (
    "text alt short long open close save next back empty error ok one many first last all none "
    "new old top left right end min max on off in out"
).split()

_WORDS: Final[dict[str, list[str]]] = {
    "en": (
        "the our your all new page order price list delivery search account please choose save "
        "changes next back open close today tomorrow week welcome questions answers contact "
        "payment received could not be found try again later free shipping within days and or "
        "with without more less read about privacy terms password forgotten language settings"
    ).split(),
    "de": (
        "die der das unsere Ihre alle neue Seite Bestellung Preis Liste Lieferung Suche Konto "
        "bitte wählen speichern Änderungen weiter zurück öffnen schließen heute morgen Woche "
        "Willkommen Fragen Antworten Kontakt Zahlung erhalten konnte nicht gefunden werden später "
        "kostenloser Versand Tage und oder mit ohne mehr über Datenschutz Größe Straße Übersicht"
    ).split(),
    "fr": (
        "le la les notre votre toutes nouvelle page commande prix liste livraison recherche "
        "compte veuillez choisir enregistrer modifications suivant précédent ouvrir fermer "
        "aujourd’hui demain semaine bienvenue questions réponses contact paiement reçu être "
        "trouvé réessayez gratuit jours et ou avec sans plus à propos confidentialité élève cœur"
    ).split(),
    "es": (
        "el la los nuestra su todas nueva página pedido precio lista entrega búsqueda cuenta por "
        "favor elegir guardar cambios siguiente atrás abrir cerrar hoy mañana semana bienvenido "
        "¿preguntas? respuestas contacto pago recibido no se pudo encontrar después gratis días "
        "con sin más acerca de privacidad contraseña idioma ajustes año niño"
    ).split(),
    "pl": (
        "nasza twoje wszystkie nowa strona zamówienie cena lista dostawa szukaj konto proszę "
        "wybierz zapisz zmiany dalej wstecz otwórz zamknij dziś jutro tydzień witamy pytania "
        "odpowiedzi kontakt płatność nie znaleziono spróbuj później darmowa wysyłka dni i lub bez "
        "więcej mniej o prywatności hasło język ustawienia żółw źródło"
    ).split(),
    "el": (
        "η το σελίδα παραγγελία τιμή λίστα αναζήτηση επιλέξτε αποθήκευση πίσω σήμερα αύριο "
        "εβδομάδα καλώς ερωτήσεις πληρωμή δεν βρέθηκε ξανά δωρεάν ημέρες και ή με χωρίς γλώσσα"
    ).split(),
    "ja": (
        "ご注文 お支払い 検索 次へ 戻る 保存 変更 を選択 してください 今日 明日 東京 配送 無料 "
        "アカウント パスワード 言語 設定 質問 回答 お問い合わせ ページ 見つかりません 一覧 価格"
    ).split(),
    "ar": (
        "الصفحة الطلب السعر قائمة التوصيل بحث الحساب اختر حفظ التالي رجوع فتح إغلاق اليوم غدا "
        "أسبوع مرحبا أسئلة الدفع لم يتم العثور مجانا أيام و أو مع بدون اللغة"
    ).split(),
    "zh": (
        "订单 价格 列表 搜索 帐户 请 选择 保存 更改 下一步 返回 打开 关闭 今天 明天 欢迎 问题 "
        "付款 未找到 免费 送货 天 语言 设置 密码 🙂 🚀 ✅ 👩‍💻 🇪🇺"
    ).split(),
}
_LANGUAGES: Final = tuple(_WORDS)
_SPREAD: Final = (1, 2, 3, 4, 5, 6)
# Scripts of three bytes a character say in one or two words what others say in four.
_LENGTHS: Final = {
    name: (1, 2, 3) if name in ("ja", "zh", "ar", "el") else _SPREAD for name in _LANGUAGES
}

HEADERS: Final[dict[Contents, bytes]] = {
    "text": b"key|language|value\n",
    "binary": b"key|value\n",
}


def rows(contents: Contents, rng: Random, first: int, count: int) -> bytes:
    """`count` rows, the first of them with number `first`: no two numbers share a key."""
    if contents == "binary":
        return b"".join(_binary_row(rng, number) for number in range(first, first + count))
    return "".join(_text_rows(rng, first, count)).encode()


def _text_rows(rng: Random, first: int, count: int) -> list[str]:
    """Every key in all languages before the next key, as translators keep them."""
    made: list[str] = []
    for start in range(first - first % len(_LANGUAGES), first + count, len(_LANGUAGES)):
        key = _key(start // len(_LANGUAGES))
        lengths = rng.choices(_SPREAD, k=len(_LANGUAGES))
        for language, length in zip(_LANGUAGES, lengths, strict=True):
            words = rng.choices(_WORDS[language], k=min(length, _LENGTHS[language][-1]))
            made.append(f"{key}|{language}|{' '.join(words)}\n")
    return list(islice(made, first % len(_LANGUAGES), first % len(_LANGUAGES) + count))


def _key(number: int) -> str:
    rest, aspect = divmod(number, len(_ASPECTS))
    rest, part = divmod(rest, len(_PARTS))
    round_, area = divmod(rest, len(_AREAS))
    key = f"{_AREAS[area]}.{_PARTS[part]}.{_ASPECTS[aspect]}"
    return f"{key}.{round_}" if round_ else key


def _binary_row(rng: Random, number: int) -> bytes:
    """Bytes that are no UTF-8 (0xff never is), NUL among them; a row stays one line."""
    return b"%06d|\xff\0%s\n" % (number, rng.randbytes(24).translate(None, b"\n|"))
