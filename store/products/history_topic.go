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

// MayConcern reports whether a command may be about a product: it is, or it names only a batch.
func (c *TopicCommand) MayConcern(sku string) bool {
	decoded, refusal := product.DecodeCommand(c.Type, c.Data)
	if refusal != nil {
		return false
	}
	keys := decoded.Keys()
	return keys.SKU == sku || keys.SKU == ""
}

func (h *History) concerns(c *TopicCommand) bool {
	decoded, refusal := product.DecodeCommand(c.Type, c.Data)
	if refusal != nil {
		return false
	}
	keys := decoded.Keys()
	_, owned := h.owned[keys.Batch]
	return keys.SKU == h.sku || keys.SKU == "" && owned
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

// readQuiet makes steps of those of the commands that had no effect, of which nothing else is kept.
func (h *History) readQuiet(ctx context.Context, tx pgx.Tx, commands []TopicCommand) (quiet []step, err error) {
	had := map[store.RecordID]struct{}{}
	for i := range h.events {
		had[h.events[i].Position] = struct{}{}
	}
	var about []*TopicCommand
	var topics []string
	var partitions []int32
	var offsets []int64
	for i := range commands {
		c := &commands[i]
		if _, known := had[c.ID]; !known && h.concerns(c) {
			about = append(about, c)
			topics, partitions, offsets = append(topics, c.ID.Topic), append(partitions, c.ID.Partition), append(offsets, c.ID.Offset)
		}
	}
	rows, _ := tx.Query(ctx, historyTopicSQL, topics, partitions, offsets, timeOrNil(h.within.Since), timeOrNil(h.within.Until)) // its error is that of the rows, too
	var n, row int64
	var source int32
	var committed time.Time
	_, err = pgx.ForEachRow(rows, []any{&n, &source, &committed, &row}, func() error {
		c, at := about[n-1], committed
		quiet = append(quiet, step{source: source, row: row, offset: c.ID.Offset, at: &at, command: &incident.Command{
			Type: c.Type, Data: c.Data, Position: c.ID.String(), Time: &c.Time, ID: c.CommandID, Correlation: c.CorrelationID, Committed: &at,
			Outcome: incident.Outcome{Result: incident.NoEffect},
		}})
		return nil
	})
	return quiet, err
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
