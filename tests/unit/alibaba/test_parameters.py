"""What each call says, by gateway: names, wrappings, and nothing empty."""

import json
from datetime import UTC, datetime, timedelta

from waybill.alibaba import parameters
from waybill.alibaba.models import LogisticsType, OrderWindow, ShippingRequest
from waybill.alibaba.settings import AlibabaSettings

GOP = AlibabaSettings(order_list_parameters={"sales_man_login_id": "anna"})
TOP = AlibabaSettings(gateway="top", order_list_parameters={"sales_man_login_id": "anna"})
START = datetime(2025, 8, 1, 4, 9, 36, tzinfo=UTC)
WINDOW = OrderWindow(START, START + timedelta(minutes=5))


def test_the_list_stands_by_itself_on_the_newer_gateway() -> None:
    assert parameters.order_list(GOP, WINDOW, 0) == {
        "sales_man_login_id": "anna",
        "role": "seller",
        "start_page": "0",
        "page_size": "50",
        "modified_date_start": '{"date_timestamp":1754021376000}',
        "modified_date_end": '{"date_timestamp":1754021676000}',
    }


def test_the_list_is_wrapped_whole_on_the_older_one() -> None:
    (only,) = parameters.order_list(TOP, WINDOW, 2).items()
    name, text = only

    assert name == "param_trade_ecology_order_list_query"
    assert text is not None
    assert json.loads(text) == {
        "sales_man_login_id": "anna",
        "role": "seller",
        "start_page": 2,
        "page_size": 50,
        "modified_date_start": {"date_str": "2025-07-31 21:09:36"},
        "modified_date_end": {"date_str": "2025-07-31 21:14:36"},
    }


def test_the_order_is_named_as_each_page_of_the_documentation_says() -> None:
    assert parameters.order_get(GOP, "7")["e_trade_id"] == "7"
    assert parameters.payments(TOP, "7") == {
        "e_trade_id": "7",
        "data_select": "fund_serviceFee,fund_fundPay,fund_refund",
    }
    assert parameters.logistics(GOP, "7") == {"trade_id": "7", "data_select": "logistic_order"}
    assert parameters.logistics(TOP, "7") == {"e_trade_id": "7", "data_select": "logistic_order"}


def test_the_files_name_is_wrapped_on_the_older_gateway_and_every_name_can_be_set() -> None:
    other = TOP.model_copy(update={"attachment_name_parameter": "fileName"})

    assert parameters.attachment(GOP, "p.png") == {"file_name": "p.png"}
    assert parameters.attachment(TOP, "p.png") == {
        "param_file_upload_request": '{"file_name":"p.png"}'
    }
    assert parameters.attachment(other, "p.png") == {
        "param_file_upload_request": '{"fileName":"p.png"}'
    }


def test_a_declaration_is_the_hashed_text_through_every_gateway() -> None:
    request = ShippingRequest(
        trade_id="7",
        service_provider="FEDEX",
        logistics_type=LogisticsType.EXPRESS,
        tracking_number="776705370628",
    )

    for settings in (GOP, TOP):
        assert parameters.shipment(settings, request) == {
            "shipping_request": request.canonical_json()
        }
