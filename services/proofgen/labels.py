"""The fixed texts of the page: English and Chinese always, as the reviewers are Alibaba's, and a third
language that a store may choose. Values are never translated.

The third language's words lie in `languages/<code>.toml`, by the English ones.
"""

import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent / "languages"
LANGUAGES = ("de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru")


class Label(NamedTuple):
    """A fixed text; `third` is None until it was `translated`, and empty where there is nothing to add."""

    en: str
    zh: str
    third: str | None = None

    def filled(self, **values: object) -> "Label":
        """The label with values in the places that its texts name."""
        return Label(*(text.format(**values) for text in (self.en, self.zh, self.third or "")))


@lru_cache(maxsize=1_024)
def translated(label: Label, language: str | None) -> Label:
    """The label with its words in one of `LANGUAGES`, or without, if it is None or adds nothing."""
    if label.third is not None:
        return label
    third = words(language)[label.en] if language else ""
    said = {_letters(label.en), _letters(label.zh)}
    return label._replace(third="" if _letters(third) in said else third)


@cache
def words(language: str) -> dict[str, str]:
    """All texts of a language, by the English ones."""
    texts: dict[str, str] = tomllib.loads((_FOLDER / f"{language}.toml").read_text("utf-8"))
    return texts


def _letters(text: str) -> str:
    return text.casefold().rstrip(".")


TITLE = Label("Proof of Shipment", "发货凭证")
DOCUMENT = Label("Document", "凭证编号")
TEMPLATE = Label("Template", "模板版本")
ISSUED = Label("Issued", "出具时间")
ORDER_NUMBER = Label("Order number", "订单号")
ORDER_DATE = Label("Order date", "下单时间")
BUYER = Label("Buyer", "买家")
ISSUER = Label("Issued by the seller", "由卖家出具")

TRACKING_NUMBER = Label("Tracking number", "运单号")
CARRIER_PAGE = Label("Carrier tracking page", "承运商查询页")
CARRIER = Label("Carrier", "承运商")
CARRIER_CODE = Label("Alibaba code", "承运商代码", "")
SERVICE = Label("Service", "服务")
LOGISTICS_TYPE = Label("Logistics type", "物流类型")
SHIPPED = Label("Shipped", "发货时间")
LABEL_CREATED = Label("Label created", "面单时间")
PACKAGES = Label("Packages", "件数")
WEIGHT = Label("Total weight", "总重量")
SIZE = Label("Dimensions", "尺寸")
COST = Label("Carrier cost", "运费")
LOGISTICS_TYPES = {"EXPRESS": Label("EXPRESS", "快递"), "POST": Label("POST", "邮政")}

SENDER = Label("From", "发件人")
RECIPIENT = Label("To", "收件人")
PHONE = Label("Tel", "电话")
MATCHES = Label("Matches the delivery address of the order", "与订单收货地址一致")
DIFFERS = Label("The label differs from the order", "面单地址与订单不一致")
NOT_COMPARED = Label("The label’s address was not provided", "面单地址未提供")
IN_ORDER = Label("order", "订单")
ON_LABEL = Label("label", "面单")
PERSON = Label("Name", "姓名")
STREET = Label("Street", "街道")
CITY = Label("City", "城市")
STATE = Label("State", "省／州")
POSTAL_CODE = Label("Postal code", "邮编")
COUNTRY = Label("Country", "国家")

ITEMS = Label("Items shipped", "发货商品")
ITEMS_WHOLE_ORDER = Label(
    "all items of the order: the shipment lists none (calculated)", "按订单全部商品（计算值）"
)
NUMBER = Label("#", "", "")
SKU = Label("SKU", "货号")
QUANTITY = Label("Quantity", "数量")
UNIT = Label("Unit", "单位")
TOTAL_UNITS = Label("Total units (calculated)", "合计（计算值）")
MORE_LINES = Label("and {lines} more lines, {units} units", "另有 {lines} 行，共 {units} 件")

PARCELS = Label("Parcels, their tracking numbers", "包裹与运单号")
PARCEL_WEIGHT = Label("Weight", "重量")
DIMENSIONS = Label("Length × width × height", "长 × 宽 × 高")
MORE_PARCELS = Label("and {parcels} more parcels", "另有 {parcels} 件包裹")
NOTE = Label("Note to the buyer", "给买家的留言")

CONTINUED = Label("continued", "（续）")
CALCULATED = Label("calculated", "计算值")
NOT_PROVIDED = Label("not provided", "未提供")
PAYLOAD = Label("Payload SHA-256, first 16 digits", "数据摘要前 16 位")
SHIPMENT = Label("Shipment id", "发货编号")
REVISION = Label("revision", "版本", "")
PAGE = Label("Page {number} of {total}", "第 {number} 页，共 {total} 页")
STATEMENT = Label(
    "Issued by the seller from its own shipping records. Not a carrier document; does not show delivery.",
    "本凭证由卖家根据自身发货记录出具，非承运商单据，不代表货物已送达。",
)

PACKING_SLIP = Label("Packing slip", "装箱单")
SHIP_BY = Label("Ship by", "最晚发货")
REQUESTED_SERVICE = Label("Requested service", "买家所选服务")
LOCATION = Label("Location", "库位")
ITEM = Label("Item", "商品")
NO_PICTURE = Label("no picture", "无图")
TOTAL = Label("Total", "合计")
LINES = Label("{lines} lines", "{lines} 行")
GIFT = Label("Gift", "礼品")
GIFT_MESSAGE = Label("Gift message", "礼品留言")
CUSTOMER_NOTE = Label("Note from the buyer", "买家留言")
SHIPMENT_ITEMS = Label("items of this shipment", "本次发货商品")
UNPAID = Label("Do not ship yet: not paid", "未付款，暂勿发货")
ON_HOLD = Label("Do not ship yet: on hold", "已冻结，暂勿发货")
CANCELLED = Label("Do not ship: cancelled", "订单已取消，请勿发货")
UNCLEAR = Label("Do not ship yet: status not clear", "状态不明，暂勿发货")


def more_address_lines(lines: int) -> str:
    """How many lines of an address did not find room."""
    return f"… [+{lines} lines]"


def more_characters(chars: int, *, short: bool = False) -> str:
    """How much of a text was cut off; short for narrow columns."""
    return f"…[+{chars}]" if short else f" … [+{chars} characters]"
