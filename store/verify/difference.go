package verify

// Difference is something that must not be.
type Difference struct {
	Check    string // which rule
	Key      string // whose row it is; empty: no key's
	Table    string
	Row      string
	Expected string // what the events, or other rows, say
	Found    string // what the table says
}

// The engine's checks, by the rule that each is named for. These names are public contract.
const (
	CheckEvents         = "events"          // the events of a key add up to its rows
	CheckSequence       = "sequence"        // a key's events are numbered 1, 2, 3, …
	CheckPublished      = "published"       // positions: 0 ≤ published_row ≤ next_row
	CheckRows           = "rows"            // outbox rows are numbered without gaps, up to next_row
	CheckEventID        = "event_id"        // no two events have one ce_id
	CheckLetter         = "letter"          // a dead letter has its outbox row, and the other way round
	CheckHeld           = "held"            // a held key has an undecided dead letter of reason internal
	CheckUnpublishedRow = "unpublished_row" // rows that are not published are kept
)

// Report reports a difference. After one that could not be reported, no other is.
func (v *Verifier) Report(check, key, table, row, expected, found string) {
	if v.failed == nil {
		v.summary.Differences++
		v.failed = v.o.Report(Difference{Check: check, Key: key, Table: table, Row: row, Expected: expected, Found: found})
	}
}

// ReportIf reports what is wrong.
func (v *Verifier) ReportIf(wrong bool, check, key, table, row, expected, found string) {
	if wrong {
		v.Report(check, key, table, row, expected, found)
	}
}
