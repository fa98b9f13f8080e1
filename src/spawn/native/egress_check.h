/* For tests: what the forwarder's parsers make of bytes. */
#pragma once

/* Frames on standard input, a line of answer for each: see docs/native-protocol.md. */
int egress_check_run(void);
