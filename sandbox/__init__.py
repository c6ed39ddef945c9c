"""A stand-in for Alibaba.com: its seller API over real HTTP, for demos, tests and benchmarks.

There is no public test environment of Alibaba.com. This package follows the public documentation of
the GOP open platform (openapi.alibaba.com) and, where that is silent, takes the stricter reading;
such choices are options. It shares no code with any client, so that a misreading shows up as a
refused call.

Start
=====
::

    python -m sandbox --data-dir DIR [--port 0] [--seed 1] [--stores 2]
        [--orders-per-store 100] [--lenient] [--all-shippable] [--latency-ms 50] [--keep-files] …

Prints one line when it answers calls, and nothing else on standard output::

    {"ready": true, "url": "http://127.0.0.1:4021", "admin": "http://127.0.0.1:4021/admin", "pid": 7}

SIGTERM stops it in good order (exit status 0); 2 means that the options or the directory cannot be
used. In a Python process: :func:`sandbox.__main__.serve` (blocks) and
:func:`sandbox.server.background` (a context manager that yields the address); both take a
:class:`sandbox.settings.Settings`.

State
=====
``DIR/world.json`` keeps what orders are generated from (seed, stores, orders, first start);
``DIR/journal.jsonl`` has one line for every accepted write, on disk before the answer goes out.
After ``kill -9`` the same directory goes on where it was. Faults, request counters, calls that were
still to act late and undelivered push messages are gone; settings are what the command line says.
One process uses a directory at a time.

The API
=======
The same operations behind three doors, each with the signatures of its own:

==================== ======================================== ====================================
``/rest{path}``      HMAC-SHA256 over path and parameters     ``{"code": "0", …}``; errors ``{"type",
                                                              "code", "message", "request_id"}``
``/sync``            the same without a path; ``method``,     ``{"…_response": {"result": …}}``;
                     ``access_token`` or ``session``          errors ``{"error_response": {…}}`` with
``/router/rest``     MD5, HMAC-MD5 or HMAC-SHA256; ``v=2.0``, a number and a ``sub_code``; arrays an
                     ``format=json``, ``session``, a time as  object deeper, unless
                     text in GMT+8, at most 10 minutes off    ``simplify=true``
==================== ======================================== ====================================

GET or POST (form or multipart); errors come with HTTP 200. Paths:

/auth/token/create, /auth/token/refresh
    A code works once, for 30 minutes. A refresh ends the tokens it replaces. ``refresh_expires_in``
    is 0 when the access token lasts as long as the authorisation. Every third store has no
    ``account_id``.
/alibaba/order/list
    ``role=seller`` (the default is buyer, who has no orders), ``start_page`` from 0, ``page_size``
    up to 100, ``status``, ``create_date_start/_end``, ``modified_date_start/_end`` with
    ``date_str`` (Pacific time) or ``date_timestamp``, both ends included.
/alibaba/order/get
    ``e_trade_id``.
/alibaba/order/fund/query
    ``e_trade_id``, ``data_select``.
/order/logistics/query
    ``trade_id``; the shipments only with ``data_select=logistic_order``.
/alibaba/order/attachment/upload
    File part ``data`` and ``file_name``: jpg, png, pdf or doc by name and content, up to 5,000,000
    bytes. Answers ``value``, the file path.
/alibaba/v2/order/shipping
    ``shipping_request``: the order is the caller's and ``undeliver``, the carrier known, the type
    ``EXPRESS`` or ``POST``, the tracking number not empty, attachments uploaded by the same seller.
    Answers ``voucher_id``; the order becomes ``delivering``.
/alibaba/order/shipping/channels
    The carriers. The path is a guess (``--channels-path``).

Methods for ``/sync`` and ``/router/rest``: ``alibaba.seller.order.list`` (everything in
``param_trade_ecology_order_list_query``, rows without a status), ``alibaba.seller.order.get``,
``….fund.get``, ``….logistics.get`` (``e_trade_id`` here), ``….shipping``, ``….shipping.channels``,
``alibaba.order.picture.upload`` (``file_name`` in ``param_file_upload_request``),
``taobao.top.auth.token.create`` and ``….refresh`` (``token_result`` is JSON in a text).

``/oauth/authorize`` is the page a seller sees: store and authorisation length (1, 3 or 6 months;
``&months=3`` is what it begins with), Authorize and Cancel. ``/oauth/authorize/confirm`` with
``&seller=…&months=…`` added redirects to the callback at once, with ``&deny=1`` it comes back with
``error=access_denied``. ``/ecology/service.htm?appKey=…`` is the page the older flow begins with.

Orders come from thirty countries in eleven scripts and 23 currencies. Every hundred orders of a
store hold the same mix: 70 ``undeliver``, the other codes Alibaba documents, one alias other
software uses (``partial_delivering``) and one code nobody knows; 2 without a delivery address, 8
without a postal code.

The admin API
=============
JSON, no signature. Errors: 400, 404, 409, 422 with ``{"error": …}``. Times are epoch milliseconds,
UTC. ``seller`` is a store's ``id``.

``GET /admin/health``
    ``{"status": "ok", "lenient": false}``
``GET /admin/sellers``
    ``{"app_key", "app_secret", "sellers": [{"id", "number", "store", "login_id", "email",
    "account_id", "user_id", "eid", "country", "account_platform", "app_key", "app_secret",
    "access_token", "access_ends_ms", "refresh_token", "refresh_ends_ms", "authorisation_ends_ms",
    "orders"}]}``. The tokens are the newest ones of the store.
``POST /admin/codes``
    ``{"seller", "months": "1"|"3"|"6"}`` or ``{"seller", "authorisation_s": 3600}`` → 201
    ``{"code", "seller", "ends_ms"}``, as if the seller had gone through the page.
``POST /admin/sellers/{seller}/end-tokens``
    ``{"access": true, "refresh": false, "authorisation": false, "after_s": 0}`` ends all tokens of
    the store, now or then; ``authorisation``: no later refresh goes past it either.
``GET /admin/orders?seller=&status=&offset=0&limit=1000`` (limit up to 10,000)
    ``{"total", "orders": [{"trade_id", "seller", "status", "created_ms", "modified_ms",
    "accepted_shipments", "could_have_acted"}]}``, in the order they were made.
``POST /admin/orders``
    ``{"seller": null, "count": 1, "status": "undeliver", "payload": null}`` → 201
    ``{"created": [order, …]}``. No seller: the first. Status ``mixed``: the usual mix; any other:
    all have it, and an address. ``payload``: a JSON merge patch (RFC 7396) over each detail.
``GET /admin/orders/{trade_id}``
    The order with ``payload`` (its detail as the API answers it) and ``shipments``.
``PATCH /admin/orders/{trade_id}``
    ``{"status", "payload", "shipped_elsewhere": {"service_provider", "tracking_number",
    "logistics_type"}, "keep_modified": false}``, any of them → the order. Its modification date
    moves on, if it is not to be kept; ``shipped_elsewhere`` makes it ``delivering``.
``GET | POST | DELETE /admin/faults``, ``DELETE /admin/faults/{id}``
    POST takes one fault or a list. ``{"faults": [{"id", "hits", "left", …}]}``.
``GET /admin/errors``
    ``{"errors": {name: {"rest", "dotted"}}}``: every error of the public tables, which the fault
    ``api_error`` takes by name.
``GET | PATCH /admin/settings``
    ``{name: value}`` of what can change while the sandbox runs: see *Readings*.
``PUT /admin/lenient``
    ``{"lenient": true}``: a shipment is accepted whatever the order's status, a second and a third
    one too. All other rules stay.
``GET /admin/journal?after=0&limit=1000&kind=`` (limit up to 10,000)
    ``{"last", "entries": [{"seq", "kind", "at_ms", …}]}``, fields as in :mod:`sandbox.events`.
    Kinds: ``upload``, ``shipment``, ``shipment_refused``, ``orders_created``, ``order_changed``,
    ``code_issued``, ``tokens_issued``, ``tokens_ended``.
``GET /admin/totals?per_order=false``
    From the journal: ``uploads``, ``uploaded_bytes``, ``shipments``, ``orders_shipped``,
    ``shipments_per_order_max``, ``shipments_refused`` {code: n}, and
    ``could_have_acted_per_order_max``: calls for one order that were accepted, or refused only
    because of its status, which a client that must send once has to keep at 1 even in strict mode.
    Since the start: ``shipping_calls_received``, ``requests`` {path: n}, ``requests_per_seller``
    {seller: {path: n}}, ``refused_per_seller`` {seller: {code: n}} (``unknown``: a call without a
    token of any store), ``connections_cut``, ``late_acts_pending``, ``late_acts_done``, ``push``
    {delivered, failed_attempts, given_up, lost, dropped}. With ``per_order=true``:
    ``shipments_per_order`` {trade_id: n}.
``GET /admin/files/{sha256}``
    An uploaded file, if the sandbox was started with ``--keep-files``.
``GET | PUT /admin/push``
    ``{"url": "http://…"}`` or ``{"url": null}``: push messages for every order created or changed,
    signed as Alibaba signs them. A receiver has ``"answer_s": 0.5`` to say 200; else 12 retries over
    ``"span_s": 120``. More than half of the last attempts failing (``"stop_when_failing": true``)
    ends it until this is called again. ``"duplicates"`` and ``"lost"`` are shares,
    ``"delay_ms_max"`` lets messages overtake each other. GET adds ``stopped``, ``waiting``,
    ``totals`` and the last ``attempts``.
``POST /admin/push/send``
    ``{"trade_id"}`` sends one message now and never again → ``{"status", "ms", "body",
    "answers"}``. ``"url"``; ``"signature": "right"|"wrong"|"missing"|"other_app"``; ``"message"``: a
    merge patch; ``"raw"``: another body; ``"bytes"``: padded to this size; ``"times"``.

Faults
======
Each takes ``path`` (wildcards ``*``, ``?``), ``seller``, ``probability`` (1.0) and ``times`` (then it
is over), and by ``kind``:

============ ====================================== ============================================
kind         fields                                 effect
============ ====================================== ============================================
latency      ms, jitter_ms=0, when=before|after     slow, before or after acting
http_error   status=503, acted=false                an HTML body; acted: it took effect all the
                                                    same
api_error    name, layer=first|second, message,     an error of the public tables in the form of
             http_status=200, acted=false,          the door that was used; second: inside an
             bare_sub_code=false                    answer that calls itself a success
shift        orders=1, content=true, create=0,      with each order list, that many orders of the
             when=after|before                      store change and come to be: pages move
throttle     ban_s=1, code="ApiCallLimit"           a ban: refused until it is over
quota        per_second, ban_s=1,                   a ban for a store that calls too often
             code="ApiCallLimit"
gop_error    code, message, type="ISP",             any error answer, without acting
             http_status=200
token_ended                                         ``IllegalAccessToken`` for this call
cut_before                                          TCP connection closed, nothing happened
cut_after                                           it took effect, TCP connection closed
act_late     after_s, answer=cut|error|hang         answers so now, acts after that time
lag          lag_s                                  the logistics query is that far behind; with
                                                    path /alibaba/order/get so is the status, with
                                                    /alibaba/order/list the list
============ ====================================== ============================================

``--latency-ms`` is a fault like the others, and the first one.

Readings
========
What the documents leave open, and rules a test wants to move; ``PATCH /admin/settings`` takes each:

``code_s``, ``access_token_s``, ``refresh_token_s`` (1800, ten days, sixty days)
    Lifetimes of what is issued from now on.
``refresh_grace_s``, ``old_access_token_s`` (0)
    A used refresh token answers the same tokens again that long; a replaced access token still works.
``refresh_prolongs``, ``reauthorising_ends_older`` (false)
    A refresh begins the chosen length anew; authorising again ends older tokens.
``token_error`` (``IllegalAccessToken``, ``InvalidAccessToken``), ``token_answer_extra`` (false)
``list_order`` (``newest``, ``oldest``), ``list_by`` (``window``, ``created``), ``page_size_max`` (100)
    Where an order list begins, and what it is sorted by.
``mask_trade_ids`` (false)
    ``alibaba.seller.order.list`` hides the middle of trade ids, which no other call then takes.
``business_errors`` (``top``, ``result``), ``business_error_names`` (``error``, ``msg``, ``result``)
    Where 402 to 500 stand: in ``code``, or in ``result`` of a success, and the names there.
``error_http_status`` (``200``, ``4xx``), ``voucher_in`` (``top``, ``result``, ``value``)
``simplified_root`` (true)
    Whether ``simplify=true`` keeps the ``…_response`` object.
``clock_offset_ms`` (0)
    How far the sandbox's clock is ahead.
``unknown_parameters`` (``refuse``, ``ignore``)
    A parameter nobody documented: refused, so that a slip of the pen shows.
``attachments_required`` (true), ``timestamp_skew_s`` (7200), ``callbacks`` (any)
"""
