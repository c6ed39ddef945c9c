"""What the store's carrier map makes of Alibaba's carriers."""

from waybill.alibaba.models import Channel
from waybill.cli.store_carriers import Line, compared


def test_codes_that_alibaba_does_not_list_come_first_and_unmapped_carriers_are_shown() -> None:
    channels = (Channel("UPS", "UPS"), Channel("FEDEX", None))

    lines = compared(channels, {"fedex": "FEDEX", "fed ex": "FEDEX", "gls": "GLS"})

    assert lines == [
        Line("GLS", None, ("gls",), is_known=False),
        Line("FEDEX", None, ("fed ex", "fedex"), is_known=True),
        Line("UPS", "UPS", (), is_known=True),
    ]


def test_a_code_in_other_letters_is_another_code() -> None:
    lines = compared((Channel("FEDEX", None),), {"fedex": "Fedex"})

    assert [(line.code, line.is_known) for line in lines] == [("Fedex", False), ("FEDEX", True)]
