package store

import (
	"encoding/binary"
	"time"
)

// copyRows writes rows in the binary format of COPY: see "Binary Format" of Postgres' page on COPY. Each row has all columns, in order.
type copyRows struct {
	buf     []byte
	columns int
}

// begin writes the signature, no flags, and no extension.
func (r *copyRows) begin() {
	r.buf = append(r.buf, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
}

// end writes the mark that no row follows.
func (r *copyRows) end() { r.buf = append(r.buf, 0xff, 0xff) }

func (r *copyRows) row() { r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(r.columns)) } //nolint:gosec // a few

func (r *copyRows) null() { r.buf = append(r.buf, 0xff, 0xff, 0xff, 0xff) }

func (r *copyRows) nulls(n int) {
	for range n {
		r.null()
	}
}

func (r *copyRows) text(s string) {
	r.length(len(s))
	r.buf = append(r.buf, s...)
}

// optional is null where the text is empty.
func (r *copyRows) optional(s string) {
	if s == "" {
		r.null()
		return
	}
	r.text(s)
}

func (r *copyRows) bytes(b []byte) {
	r.length(len(b))
	r.buf = append(r.buf, b...)
}

func (r *copyRows) int32(n int32) {
	r.length(4)
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n)) //nolint:gosec // its bits
}

func (r *copyRows) int64(n int64) {
	r.length(8)
	r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(n)) //nolint:gosec // its bits
}

func (r *copyRows) length(n int) { r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(n)) } //nolint:gosec // checked as a whole

func (r *copyRows) day(d day) { r.int32(int32(d)) }

func putInt32(b []byte, n int32) { binary.BigEndian.PutUint32(b, uint32(n)) } //nolint:gosec // its bits

// day is a date as Postgres counts it.
type day int32

// firstDay is day 0.
var firstDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

func dayOf(t time.Time) day { return day(t.UTC().Sub(firstDay) / (24 * time.Hour)) } //nolint:gosec // of this age
