package verify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/store/verify"
)

// story is a product with each kind of line and batch, by two partitions, another product, and a
// dead letter.
func (b *bench) story() {
	b.apply(
		command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`),
		command(0, "CreateBatch", `{"ref":"b2","sku":"CHAIR","qty":50,"eta":"2030-01-01"}`),
		command(0, "Allocate", `{"orderid":"o1","sku":"CHAIR","qty":20}`),
		command(0, "Allocate", `{"orderid":"o2","sku":"CHAIR","qty":20,"lineid":"1"}`),
		command(1, "CreateBatch", `{"ref":"t1","sku":"TABLE","qty":3}`),
		command(1, "Allocate", `{"orderid":"o1","sku":"TABLE","qty":2}`))
	b.apply(
		command(1, "ChangeBatchQuantity", `{"batchref":"b1","qty":25,"revision":7}`), // moves o2 to b2
		command(0, "Allocate", `{"orderid":"o3","sku":"CHAIR","qty":90}`),            // waits
		command(1, "Allocate", `{"orderid":"o4","sku":"CHAIR","qty":5}`))
	b.apply(
		command(0, "Dispatch", `{"orderid":"o1","sku":"CHAIR"}`),
		command(1, "Deallocate", `{"orderid":"o4","sku":"CHAIR"}`),
		command(0, "Allocate", `{"orderid":"o5","sku":"CHAIR","qty":80}`), // waits
		command(0, "Frobnicate", `{}`))
}

func TestRun_findsNothingInAGoodDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	found, summary := b.verify(verify.Options{})
	require.Empty(t, found)
	require.Equal(t, Summary{Passes: 1}, summary)

	b.story()
	found, summary = b.verify(verify.Options{})
	require.Empty(t, found)
	require.Equal(t, Summary{Products: 2, Batches: 3, Lines: 6, OutboxRows: 15, DeadLetters: 1, Folded: 2, Passes: 1}, summary)

	found, summary = b.verify(verify.Options{Key: "TABLE"})
	require.Empty(t, found)
	require.Equal(t, Summary{Products: 1, Batches: 1, Lines: 1, OutboxRows: 15, DeadLetters: 1, Folded: 1, Passes: 1}, summary)
}

func TestRun_findsEachDamage(t *testing.T) {
	t.Parallel()
	type where struct{ check, sku, table, key string }
	const unchecked = `alter table batches drop constraint allocated_within_qty;
		alter table batches drop constraint batches_qty_check;
		alter table positions drop constraint positions_check;
		alter table lines drop constraint lines_check;
		alter table held_keys drop constraint held_keys_source_row_no_fkey;`
	for name, c := range map[string]struct {
		damage string
		finds  []where
	}{
		"an event has the id of another": {
			`update outbox set command_offset = 0, event_no = 0 where source = 1 and row_no = 2`,
			[]where{{verify.CheckEventID, "CHAIR", "outbox", "source 1, row 2"}}},
		"an event has the id of one that came by another partition": {
			`update outbox set command_source = 1, command_offset = 3, event_no = 0 where source = 2 and row_no = 3`,
			[]where{{verify.CheckEventID, "CHAIR", "outbox", "source 2, row 3"}}},
		"two events of retries have one id": {
			`update outbox set command_source = 1, command_offset = 900, event_no = 5 where source = 2 and row_no in (2, 3)`,
			[]where{{verify.CheckEventID, "CHAIR", "outbox", "source 2, row 2"}}},
		"allocated is not the sum": {
			`update batches set allocated = 21 where ref = 'b2'`,
			[]where{{CheckAllocated, "CHAIR", "batches", "b2"}}},
		"allocated beyond the quantity": {
			`update batches set allocated = 60 where ref = 'b2'`,
			[]where{{CheckAllocated, "CHAIR", "batches", "b2"}, {CheckAllocated, "CHAIR", "batches", "b2"}}},
		"the quantity of a batch": {
			`update batches set qty = 49 where ref = 'b2'`, []where{{verify.CheckEvents, "CHAIR", "batches", "b2"}}},
		"the date of a batch": {
			`update batches set eta = '2030-01-02' where ref = 'b2'`, []where{{verify.CheckEvents, "CHAIR", "batches", "b2"}}},
		"the revision of a batch": {
			`update batches set revision = null where ref = 'b1'`, []where{{verify.CheckEvents, "CHAIR", "batches", "b1"}}},
		"the first quantity of a batch": {
			`update batches set first_qty = 51 where ref = 'b1'`, []where{{verify.CheckEvents, "CHAIR", "batches", "b1"}}},
		"the first date of a batch": {
			`update batches set first_eta = null where ref = 'b2'`, []where{{verify.CheckEvents, "CHAIR", "batches", "b2"}}},
		"a batch is gone": {
			`delete from batches where ref = 't1'`,
			[]where{{CheckLineBatch, "TABLE", "lines", "order o1"}, {verify.CheckEvents, "TABLE", "batches", "t1"}}},
		"an empty batch is gone": {
			`delete from batches where ref = 'b1'`, []where{{CheckLineBatch, "CHAIR", "lines", "order o1"}, {verify.CheckEvents, "CHAIR", "batches", "b1"}}},
		"a batch too many": {
			`insert into batches (ref, sku, qty, first_qty) values ('b9', 'CHAIR', 1, 1)`, []where{{verify.CheckEvents, "CHAIR", "batches", "b9"}}},
		"a batch of no product": {
			`insert into batches (ref, sku, qty, first_qty) values ('b9', 'NONE', 1, 1)`, []where{{CheckProduct, "NONE", "batches", "b9"}}},
		"a batch with stock that waits to be taken": {
			`update batches set qty = 150 where ref = 'b2'`,
			[]where{{CheckServed, "CHAIR", "lines", "the smallest that waits"}, {verify.CheckEvents, "CHAIR", "batches", "b2"}}},
		"a batch of another product": {
			`update batches set sku = 'TABLE' where ref = 'b2'`,
			[]where{{CheckLineBatch, "CHAIR", "lines", "order o2, line 1"}, {verify.CheckEvents, "TABLE", "batches", "b2"}}},
		"the waiting lines' number": {
			`update products set waiting = 3 where sku = 'CHAIR'`, []where{{CheckWaiting, "CHAIR", "products", "CHAIR"}}},
		"the version": {
			`update products set version = version + 1 where sku = 'CHAIR'`,
			[]where{{CheckVersion, "CHAIR", "products", "CHAIR"}, {verify.CheckEvents, "CHAIR", "products", "CHAIR"}}},
		"the version, far behind": {
			`update products set version = 2 where sku = 'TABLE'; update products set version = 1 where sku = 'TABLE'`,
			[]where{{CheckVersion, "TABLE", "products", "TABLE"}, {CheckPlaced, "TABLE", "lines", "order o1"}, {verify.CheckEvents, "TABLE", "products", "TABLE"}}},
		"a product's last event, another product's": {
			`update products set (last_source, last_row) = (select last_source, last_row from products where sku = 'CHAIR') where sku = 'TABLE'`,
			[]where{{CheckVersion, "TABLE", "products", "TABLE"}}},
		"a product's last event, none": {
			`update products set last_row = 99 where sku = 'TABLE'`, []where{{CheckVersion, "TABLE", "products", "TABLE"}}},
		"a product is gone": {
			`delete from products where sku = 'TABLE'`,
			[]where{{CheckProduct, "TABLE", "batches", "t1"}, {CheckProduct, "TABLE", "lines", "order o1"}, {verify.CheckEvents, "TABLE", "products", "TABLE"}}},
		"a product's key is gone": {
			`delete from product_keys where sku = 'TABLE'`, []where{{CheckKey, "TABLE", "products", "TABLE"}}},
		"a batch's key is gone": {
			`delete from batch_keys where ref = 't1'`, []where{{CheckKey, "TABLE", "batches", "t1"}}},
		"a key of no product": {
			`insert into product_keys values ('NONE')`, []where{{CheckKey, "NONE", "product_keys", "NONE"}}},
		"a key of no batch": {
			`insert into batch_keys values ('b9')`, []where{{CheckKey, "", "batch_keys", "b9"}}},
		"a product twice": {
			`delete from product_keys where sku = 'TABLE';
			 insert into products select sku, version, waiting, last_source, last_row, 7 from products where sku = 'TABLE'`,
			[]where{{CheckKey, "TABLE", "product_keys", "TABLE"}}},
		"a batch twice": {
			`delete from batch_keys where ref = 'b1';
			 insert into batches (ref, sku, qty, first_qty, revision, generation) select ref, sku, qty, first_qty, revision, 7 from batches where ref = 'b1'`,
			[]where{{CheckKey, "CHAIR", "batch_keys", "b1"}}},
		"a line is gone": {
			`delete from lines where orderid = 'o4'`, []where{{verify.CheckEvents, "CHAIR", "lines", "order o4"}}},
		"a line too many": {
			`insert into lines select 'o9', sku, lineid, qty, 2, state, batchref, last_source, last_row, last_day from lines where orderid = 'o4'`,
			[]where{{CheckLastEvent, "CHAIR", "lines", "order o9"}, {verify.CheckEvents, "CHAIR", "lines", "order o9"}}},
		"a line's quantity": {
			`update lines set qty = 91 where orderid = 'o3'`,
			[]where{{CheckLastEvent, "CHAIR", "lines", "order o3"}, {verify.CheckEvents, "CHAIR", "lines", "order o3"}}},
		"a line's state": {
			`update lines set state = 'cancelled' where orderid = 'o5'; update products set waiting = 1 where sku = 'CHAIR'`,
			[]where{{CheckLastEvent, "CHAIR", "lines", "order o5"}, {verify.CheckEvents, "CHAIR", "lines", "order o5"}}},
		"a line's batch": {
			`update lines set batchref = 'b2' where orderid = 'o1' and sku = 'CHAIR'`,
			[]where{{CheckLastEvent, "CHAIR", "lines", "order o1"}, {verify.CheckEvents, "CHAIR", "lines", "order o1"}}},
		"a line's place": {
			`update lines set placed = 2 where orderid = 'o3'`, []where{{verify.CheckEvents, "CHAIR", "lines", "order o3"}}},
		"a line's place, after its last event": {
			`update lines set placed = 14 where orderid = 'o1' and sku = 'CHAIR'; update products set version = 14 where sku = 'CHAIR'`,
			[]where{{CheckVersion, "CHAIR", "products", "CHAIR"}, {CheckPlaced, "CHAIR", "lines", "order o1"}, {verify.CheckEvents, "CHAIR", "products", "CHAIR"}, {verify.CheckEvents, "CHAIR", "lines", "order o1"}}},
		"two lines in one place": {
			`update lines set placed = (select placed from lines where orderid = 'o3') where orderid = 'o5'`,
			[]where{{CheckPlaced, "CHAIR", "lines", "placed 8"}, {verify.CheckEvents, "CHAIR", "lines", "order o5"}}},
		"a line's last event, one before": {
			`update lines l set last_row = o.previous_row, last_source = o.previous_source from outbox o
			 where l.orderid = 'o2' and o.source = l.last_source and o.row_no = l.last_row`,
			[]where{{CheckLastEvent, "CHAIR", "lines", "order o2, line 1"}}},
		"a line's last event, none": {
			`update lines set last_row = 99 where orderid = 'o2'`, []where{{CheckLastEvent, "CHAIR", "lines", "order o2, line 1"}}},
		"a line goes back to what it was": { // and all that goes with it, so that only events can tell
			`update lines set state = 'allocated', batchref = 'b1', last_source = s, last_row = r
			 from (select source s, row_no r from outbox where type = 'Allocated' and subject = 'o4') o where orderid = 'o4';
			 update batches set allocated = 5, qty = 5 where ref = 'b1'`,
			[]where{{verify.CheckEvents, "CHAIR", "lines", "order o4"}}},
		"an event is gone": {
			`delete from outbox where type = 'Allocated' and subject = 'o2' and sequence = 4`,
			[]where{{verify.CheckRows, "", "outbox", "source 1, row 4"}, {verify.CheckSequence, "CHAIR", "outbox", "CHAIR"}}},
		"the newest event is gone": {
			`delete from outbox where key = 'CHAIR' and sequence = (select version from products where sku = 'CHAIR');
			 update positions set published_row = 0`,
			[]where{{verify.CheckRows, "", "outbox", "source 1, row 7"}, {CheckVersion, "CHAIR", "products", "CHAIR"}, {CheckLastEvent, "CHAIR", "lines", "order o5"},
				{verify.CheckEvents, "CHAIR", "products", "CHAIR"}, {verify.CheckEvents, "CHAIR", "lines", "order o5"}}},
		"an event with another sequence": {
			`update outbox set sequence = 3 where key = 'CHAIR' and sequence = 4`,
			[]where{{verify.CheckSequence, "CHAIR", "outbox", "sequence 3"}, {verify.CheckSequence, "CHAIR", "outbox", "CHAIR"}}},
		"an event with other data": {
			`update outbox set value = convert_to(replace(convert_from(value, 'UTF8'), '"qty":20', '"qty":21'), 'UTF8') where sequence = 3 and key = 'CHAIR'`,
			[]where{{verify.CheckEvents, "CHAIR", "outbox", "sequence 10"}}},
		"rows that follow each other": {
			`update outbox o set after_source = a.source, after_row = a.row_no from outbox a where a.sequence = 5 and a.key = 'CHAIR' and o.sequence = 3 and o.key = 'CHAIR'`,
			[]where{{verify.CheckSequence, "CHAIR", "outbox", "source 1, row 2"}}},
		"next_row": {
			`update positions set next_row = next_row + 1 where source = 1`, []where{{verify.CheckRows, "", "outbox", "source 1 (commands, partition 0)"}}},
		"published beyond what there is": {
			`update positions set published_row = next_row + 1 where source = 1`,
			[]where{{verify.CheckPublished, "", "positions", "source 1 (commands, partition 0)"}}},
		"unpublished rows are gone": {
			`update positions set published_row = 0; delete from outbox where source = 2 and row_no < 2`,
			[]where{{verify.CheckUnpublishedRow, "", "outbox", "source 2 (commands, partition 1)"}, {CheckLastEvent, "TABLE", "lines", "order o1"}}},
		"a position is gone": {
			`delete from positions where source = 2`,
			[]where{{verify.CheckRows, "", "outbox", "source 2, row 0"}, {verify.CheckSequence, "CHAIR", "outbox", "CHAIR"}}},
		"a dead letter is gone": {
			`delete from dead_letters`, []where{{verify.CheckLetter, "", "outbox", "source 1, row 7"}}},
		"a dead letter is no outbox row's": {
			`update dead_letters set row_no = 0`, []where{{verify.CheckLetter, "", "outbox", "source 1, row 7"}, {verify.CheckLetter, "", "dead_letters", "source 1, row 0"}}},
		"a dead letter of the future": {
			`insert into dead_letters (source, row_no, command_offset, reason, message, headers) values (1, 99, 1, 'malformed', '', '')`,
			[]where{{verify.CheckLetter, "", "dead_letters", "source 1, row 99"}}},
		"a dead letter that was retried at no time": {
			`update dead_letters set state = 'retried'`, []where{{verify.CheckLetter, "", "dead_letters", "source 1, row 7"}}},
		"a product held by a refusal": {
			`insert into held_keys (key, source, row_no) values ('CHAIR', 1, 7)`, []where{{verify.CheckHeld, "CHAIR", "held_keys", "CHAIR"}}},
		"a product held by nothing": {
			`insert into held_keys (key, source, row_no) values ('CHAIR', 1, 77)`, []where{{verify.CheckHeld, "CHAIR", "held_keys", "CHAIR"}}},
		"a product held by a dead letter that is done": {
			`update dead_letters set reason = 'internal', state = 'discarded', resolved_at = now();
			 insert into held_keys (key, source, row_no) values ('CHAIR', 1, 7)`, []where{{verify.CheckHeld, "CHAIR", "held_keys", "CHAIR"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 2)
			b.story()
			b.Exec(unchecked + c.damage)
			found, _ := b.verify(verify.Options{})
			var is []where
			for _, d := range found {
				is = append(is, where{d.Check, d.Key, d.Table, d.Row})
			}
			require.Equal(t, c.finds, is, "%+v", found)
		})
	}
}
