package checker

import "strconv"

// tooLarge is the reason of the one dead letter about a batch of records that a worker does not
// unpack, because that takes too much memory.
const tooLarge = "too_large"

// Above one of these, a worker may leave a batch packed. A record takes memory beside its bytes, so
// a batch of many small ones costs more than it has.
const (
	packedBytes  = 32 << 20
	packedCost   = 128 << 20
	costOfRecord = 192
	costOfHeader = 40
	timesLargest = 4 // the copies that are made of the largest record
)

// packedBatch is a batch that was not unpacked: its dead letter stands at the first offset.
type packedBatch struct {
	from    spot
	last    int64
	records string // as the letter says
}

// packedBatches are the batches that dead letters are about.
func (c *check) packedBatches() (batches []packedBatch) {
	for _, p := range c.history.Letters {
		r := p.Record()
		if string(r.header("dlq-reason")) != tooLarge {
			continue
		}
		at := c.originalOf(&r)
		last, err := strconv.ParseInt(string(r.header("dlq-batch-last-offset")), 10, 64)
		if at.partition == none || err != nil || last < at.offset {
			c.report(RuleLetter, "", lines(describe(&r)), "the dead letter at %s does not say which batch of records it is about", placeOf(&r))
			continue
		}
		batches = append(batches, packedBatch{from: at, last: last, records: string(r.header("dlq-batch-records"))})
	}
	return batches
}

// leavePacked makes one entry of each batch that was not unpacked: its records were no commands.
func (c *check) leavePacked(batches []packedBatch) {
	of := map[int32][]packedBatch{}
	for _, b := range batches {
		of[b.from.partition] = append(of[b.from.partition], b)
	}
	seen := map[packedBatch]*packedSize{}
	kept := c.entries[:0]
	for _, e := range c.entries {
		b := batchAt(of[e.partition], e.offset)
		if b == nil {
			kept = append(kept, e)
			continue
		}
		size := seen[*b]
		if size == nil {
			size = &packedSize{}
			seen[*b] = size
		}
		r := c.history.Commands[e.record].Record()
		size.add(&r)
		if e.offset == b.from.offset {
			e.packed = true
			kept = append(kept, e)
		}
	}
	c.entries = kept
	for b, size := range seen {
		c.checkPacked(b, size)
	}
}

func batchAt(batches []packedBatch, offset int64) *packedBatch {
	for i, b := range batches {
		if offset >= b.from.offset && offset <= b.last {
			return &batches[i]
		}
	}
	return nil
}

// checkPacked wants the letter to tell the number of records, and the batch to be large.
func (c *check) checkPacked(b packedBatch, size *packedSize) {
	if b.records != strconv.Itoa(size.records) {
		c.report(RuleLetter, "", nil, "the dead letter of the batch from %s to %d says %q records, it has %d", c.placeAt(b.from), b.last, b.records, size.records)
	}
	if size.bytes < packedBytes && size.cost() < packedCost {
		c.report(RuleEffect, "", nil, "the batch from %s to %d was refused as %s: its %d records have %d bytes", c.placeAt(b.from), b.last, tooLarge, size.records, size.bytes)
	}
}

// packedSize is what a batch unpacks to.
type packedSize struct{ records, headers, bytes, largest int }

func (s *packedSize) add(r *Record) {
	n := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
	}
	s.records++
	s.headers += len(r.Headers)
	s.bytes += n
	s.largest = max(s.largest, n+len(r.Headers)*costOfHeader)
}

func (s *packedSize) cost() int {
	return s.bytes + s.records*costOfRecord + s.headers*costOfHeader + timesLargest*s.largest
}

// recordOfCommand is the record of an entry, of which nothing is known where it was not unpacked.
func (c *check) recordOfCommand(e *entry) Record {
	r := c.history.Commands[e.record].Record()
	if e.packed {
		r.Key, r.Value, r.Headers = nil, nil, nil
	}
	return r
}
