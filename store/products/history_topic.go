package products

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"allocation/domain/incident"
	"allocation/domain/product"
	"allocation/store"
)

// TopicCommand is a command as a topic has it.
type TopicCommand struct {
	ID            store.RecordID
	Time          time.Time
	Type          string
	Data          []byte
	CommandID     string
	CorrelationID string
}

// Lacks reports whether a command is about the product, and the history does not have it.
func (h *History) Lacks(c *TopicCommand) bool {
	decoded, refusal := product.DecodeCommand(c.Type, c.Data)
	if refusal != nil {
		return false
	}
	keys := decoded.Keys()
	if _, owned := h.owned[keys.Batch]; keys.SKU != h.sku && (keys.SKU != "" || !owned) {
		return false
	}
	if h.had == nil {
		h.had = make(map[store.RecordID]struct{}, len(h.steps))
		for i := range h.steps {
			h.had[h.steps[i].position] = struct{}{}
		}
	}
	_, had := h.had[c.ID]
	return !had
}

// A command that was applied when it came, and left no event, no dead letter and did not wait, had
// no effect. Its place is before the first row of its partition that is of a later command.
const historyTopicSQL = `
select w.n, p.source, t.committed_at, coalesce((
    select max(o.row_no) + 1 from outbox o
    where o.source = p.source and o.row_no >= t.from_row and o.row_no < t.to_row and o.command_offset < w.command_offset and o.command_source is null
        and o.day between t.day - 1 and t.day + 1), t.from_row)
from unnest($1::text[], $2::int[], $3::bigint[]) with ordinality w (topic, partition, command_offset, n)
join positions p on p.topic = w.topic and p.partition = w.partition and p.retired_at is null and w.command_offset < p.next_offset
cross join lateral (
    select t.* from generate_series(0, p.replays) r cross join lateral (
        select * from transactions t where t.source = p.source and t.replays = r and t.to_offset > t.from_offset and t.from_offset <= w.command_offset
        order by t.from_offset desc limit 1) t
    where t.to_offset > w.command_offset order by t.committed_at limit 1) t
where ($4::timestamptz is null or t.committed_at >= $4) and ($5::timestamptz is null or t.committed_at <= $5)
    and not exists (select from held_commands x where x.command_source = p.source and x.command_offset = w.command_offset)
    and not exists (select from unparked_commands x where x.command_source = p.source and x.command_offset = w.command_offset)
    and not exists (select from dead_letters x where coalesce(x.command_source, x.source) = p.source and x.command_offset = w.command_offset)
order by w.n`

// AddQuiet adds those of the commands that had no effect. They come from before the history was
// read, and it lacks them.
func (v View) AddQuiet(ctx context.Context, h *History, commands []TopicCommand) error {
	err := v.Snapshot(ctx, func(tx pgx.Tx) error {
		quiet, err := h.readQuiet(ctx, tx, commands)
		if err != nil {
			return err
		}
		if err := h.addClosed(ctx, tx, linesNamed(h.sku, commands)); err != nil {
			return err
		}
		h.place(quiet)
		return nil
	})
	return store.ShowError("read commands without effect", err)
}

func (h *History) readQuiet(ctx context.Context, tx pgx.Tx, commands []TopicCommand) (quiet []step, err error) {
	var topics []string
	var partitions []int32
	var offsets []int64
	for i := range commands {
		id := &commands[i].ID
		topics, partitions, offsets = append(topics, id.Topic), append(partitions, id.Partition), append(offsets, id.Offset)
	}
	rows, _ := tx.Query(ctx, historyTopicSQL, topics, partitions, offsets, timeOrNil(h.within.Since), timeOrNil(h.within.Until)) // its error is that of the rows, too
	var n, row int64
	var source int32
	var committed time.Time
	_, err = pgx.ForEachRow(rows, []any{&n, &source, &committed, &row}, func() error {
		c, at := commands[n-1], committed
		quiet = append(quiet, step{source: source, row: row, offset: c.ID.Offset, at: &at, position: c.ID, command: &incident.Command{
			Type: c.Type, Data: c.Data, Position: c.ID.String(), Time: &c.Time, ID: c.CommandID, Correlation: c.CorrelationID, Committed: &at,
			Outcome: incident.Outcome{Result: incident.NoEffect},
		}})
		return nil
	})
	return quiet, err
}

// addClosed adds to the start lines that were closed then, and which commands name.
func (h *History) addClosed(ctx context.Context, tx pgx.Tx, ids []product.LineID) error {
	start := h.Product.Start
	known := map[product.LineID]struct{}{}
	for i := range start.Lines {
		known[product.LineID{SKU: h.sku, OrderID: start.Lines[i].OrderID, LineID: start.Lines[i].LineID}] = struct{}{}
	}
	var orders, lineIDs []string
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			known[id] = struct{}{}
			orders, lineIDs = append(orders, id.OrderID), append(lineIDs, id.LineID)
		}
	}
	lines, err := readLines(ctx, tx, historyLinesSQL, h.sku, orders, lineIDs)
	for _, l := range lines {
		if l.Placed <= start.Version {
			start.Lines = append(start.Lines, l)
		}
	}
	return err
}

// linesNamed are the lines of the product that commands name.
func linesNamed(sku string, commands []TopicCommand) (lines []product.LineID) {
	for i := range commands {
		if decoded, refusal := product.DecodeCommand(commands[i].Type, commands[i].Data); refusal == nil {
			if line := decoded.Keys().Line; line.SKU == sku {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
