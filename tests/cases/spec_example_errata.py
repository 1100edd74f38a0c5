"""Where the worked example of the specification is wrong (SPEC_NOTES: last-touch-table)."""

# Where the spec prints something else than is right: (iteration, row, column): (printed, right).
ERRATA = {
    # The stop bit of row 4 is 0 already, so row 2 must stop here: its formula lacks `& stop[+2]`.
    (1, 2, "updated_stop"): ("1", "0"),
    # What follows from it: row 2 (constraint 53) takes the 50 of row 6 (constraint 72).
    (2, 2, "stop"): ("1", "0"),
    (2, 2, "flag"): ("(1 & 1 & 1)", "(1 & 1 & 0)"),
    (2, 2, "updated_stop"): ("1", "0"),
    (2, 2, "sum"): ("295 + 1*50", "295 + 0*50"),
    (2, 2, "updated_credit"): ("345", "295"),
    (3, 2, "stop"): ("1", "0"),
    (3, 2, "credit"): ("345", "295"),
    (3, 2, "updated_credit"): ("345", "295"),
}
