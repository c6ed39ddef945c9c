"""The whole product on one machine: `waybill demo` plays a scenario, `waybill up` keeps it running.

processes      start, wait for, kill and stop programs; also what the integration tests stand on
installation   broker, topics, stand-in, stores and services of one folder
scenario       what is published, and what is to come of it: pure
watch          what the topics and the stand-in's journal tell
report         the table at the end, and the comparison with what was expected: pure
play           runs the scenario
"""
