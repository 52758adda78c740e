package store

import (
	"allocation/domain"
	"allocation/outbox"
	"allocation/worker"
)

// history is where the outbox has the last event of an order line.
type history struct {
	source int32 // 0: none yet
	row    int64
	day    day
}

// ledger numbers the outbox rows of a batch, and links each to its predecessors.
type ledger struct {
	today    day            // of the rows that it writes
	rows     [][]outbox.Row // by lane
	outcomes []worker.Outcome
	previous [][]history                   // by lane, as rows: the previous event of the same order line
	lines    map[domain.LineID]history     // the last event of each line that has one
	products map[string]outbox.Predecessor // the last event of each product
	refused  []refused
	kept     kept
	values   []byte // where the events' data are written, one behind the other
}

// refused is a dead letter, and what is known of the command besides its bytes.
type refused struct {
	lane    int
	row     int64
	command *worker.Command
	letter  *outbox.DeadLetter
	sku     string
	event   int // the number of the command's next event
	retries int32
}

func newLedger(batch worker.Batch, d *decisions) *ledger {
	l := &ledger{
		today:    d.memory.today(),
		rows:     make([][]outbox.Row, len(batch.Lanes)),
		previous: make([][]history, len(batch.Lanes)),
		outcomes: make([]worker.Outcome, len(batch.Commands)),
		lines:    d.loaded.lines,
		products: d.loaded.products,
	}
	l.makeRoom(&batch, d)
	for i := range batch.Commands {
		l.write(&batch, d, i)
	}
	l.reread(batch.Lanes, batch.Reread)
	l.kept.free = batch.Free
	return l
}

// makeRoom makes room for the rows: one for each event and each refusal, and one for each kept
// command.
func (l *ledger) makeRoom(batch *worker.Batch, d *decisions) {
	room := make([]int, len(batch.Lanes))
	for i := range batch.Commands {
		c := &batch.Commands[i]
		room[c.Lane] += len(d.results[i].Events)
		if d.results[i].Refusal != nil || c.Kept != nil {
			room[c.Lane]++
		}
	}
	for lane, n := range room {
		l.rows[lane], l.previous[lane] = make([]outbox.Row, 0, n), make([]history, 0, n)
	}
}

// valuesAtOnce is how many bytes of events' data share their memory.
const valuesAtOnce = 16 << 10

// value is an event's data.
func (l *ledger) value(e *domain.Event) []byte {
	if cap(l.values)-len(l.values) < 512 { // more than nearly all events have; a larger one moves by itself
		l.values = make([]byte, 0, valuesAtOnce)
	}
	start := len(l.values)
	l.values = e.AppendData(l.values)
	return l.values[start:len(l.values):len(l.values)]
}

// write writes down what became of a command.
func (l *ledger) write(batch *worker.Batch, d *decisions, i int) {
	c := &batch.Commands[i]
	waits, holds := d.waits[i], d.holds[i]
	if c.Kept != nil {
		events := 0
		if waits == "" {
			events = len(d.results[i].Events)
		}
		l.count(c, events)
		l.unkeep(batch.Lanes, c, events)
	}
	switch {
	case c.Kept != nil && c.Kept.Discard:
		l.outcomes[i] = worker.Outcome{Result: worker.Discarded}
	case waits != "":
		l.outcomes[i] = worker.Outcome{Result: worker.Held}
		l.kept.wait(c, sourceOf(batch, c), firstEvent(batch.Lanes, c), waits, d.commands[i])
	default:
		row := l.record(batch.Lanes, c, d.commands[i], d.results[i], &l.outcomes[i])
		if holds != "" {
			l.refused[len(l.refused)-1].sku = holds
			l.kept.hold(c, holds, batch.Lanes[c.Lane].Source.ID, row, d.commands[i])
		}
	}
}

// record writes down what a command did, and gives the number of its first row.
func (l *ledger) record(lanes []worker.Lane, c *worker.Command, decoded domain.Command, result domain.Result, outcome *worker.Outcome) (row int64) {
	row = l.next(lanes, c.Lane)
	switch {
	case result.Refusal != nil:
		*outcome = worker.Outcome{Result: worker.Refused, Reason: string(result.Refusal.Reason)}
		l.refuse(lanes, c, decoded, result.Refusal, len(result.Events))
	case len(result.Events) == 0:
		*outcome = worker.Outcome{Result: worker.NoEffect}
	default:
		*outcome = worker.Outcome{Result: worker.Changed}
	}
	var breather breather
	for n := range result.Events {
		breather.row()
		l.event(lanes, c, n, &result.Events[n])
	}
	return row
}

func (l *ledger) event(lanes []worker.Lane, c *worker.Command, n int, e *domain.Event) {
	row := outbox.Row{
		Number: l.next(lanes, c.Lane), Offset: c.Offset, From: from(lanes, c),
		Event: firstEvent(lanes, c) + int32(n), //nolint:gosec // a command has no more events than fit into memory
		Type:  string(e.Type), Key: e.SKU, Subject: e.Subject(), Value: l.value(e), Sequence: e.Sequence,
		Cause: c.Cause,
	}
	source := lanes[c.Lane].Source.ID
	if e.Sequence > 0 {
		if last := l.products[e.SKU]; last.Source != source {
			row.After = last
		}
		l.products[e.SKU] = outbox.Predecessor{Source: source, Row: row.Number}
	}
	var previous history
	if e.Line.OrderID != "" {
		previous = l.lines[e.Line]
		if e.Sequence > 0 {
			l.lines[e.Line] = history{source: source, row: row.Number, day: l.today}
		}
	}
	l.add(c.Lane, row, previous)
}

func (l *ledger) refuse(lanes []worker.Lane, c *worker.Command, decoded domain.Command, r *domain.Refusal, events int) {
	letter := &outbox.DeadLetter{Reason: string(r.Reason), Message: r.Message, Key: c.Key, Value: c.Value, Headers: c.Headers, Batch: c.Batch}
	row := outbox.Row{Number: l.next(lanes, c.Lane), Offset: c.Offset, From: from(lanes, c), Cause: c.Cause, DeadLetter: letter}
	sku := ""
	if decoded != nil {
		sku = decoded.Keys().SKU
	}
	l.refused = append(l.refused, refused{
		lane: c.Lane, row: row.Number, command: c, letter: letter, sku: sku, event: int(firstEvent(lanes, c)) + events, retries: retries(c),
	})
	l.add(c.Lane, row, history{})
}

func (l *ledger) next(lanes []worker.Lane, lane int) int64 {
	return lanes[lane].NextRow + int64(len(l.rows[lane]))
}

func (l *ledger) add(lane int, row outbox.Row, previous history) {
	l.rows[lane] = append(l.rows[lane], row)
	l.previous[lane] = append(l.previous[lane], previous)
}
