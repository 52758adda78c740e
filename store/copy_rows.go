package store

import (
	"encoding/binary"
	"time"
)

// copyRows writes rows in the binary format of COPY: see "Binary Format" of Postgres' page on COPY.
// Each row has all columns, in order. They go in messages, each of whole rows.
type copyRows struct {
	buf     []byte
	columns int
	took    func(buf []byte) bool // is asked between messages whether it took what there is
	message int                   // where in buf the message's length is
}

// begin writes the signature, no flags, and no extension.
func (r *copyRows) begin() {
	r.beginMessage()
	r.buf = append(r.buf, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
}

// end writes the mark that no row follows.
func (r *copyRows) end() {
	r.buf = append(r.buf, 0xff, 0xff)
	r.endMessage()
}

// mostMessage is how large a message may be before the next row goes into another one.
const mostMessage = 64 << 10

func (r *copyRows) row() {
	if len(r.buf)-r.message > mostMessage {
		r.endMessage()
		if r.took(r.buf) {
			r.buf = r.buf[:0]
		}
		r.beginMessage()
	}
	r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(r.columns)) //nolint:gosec // a few
}

func (r *copyRows) beginMessage() {
	r.message = len(r.buf) + 1
	r.buf = append(r.buf, 'd', 0, 0, 0, 0)
}

func (r *copyRows) endMessage() {
	binary.BigEndian.PutUint32(r.buf[r.message:], uint32(len(r.buf)-r.message)) //nolint:gosec // one row may exceed mostMessage, by what a record may have
}

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

// day is a date as Postgres counts it.
type day int32

// firstDay is day 0.
var firstDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// String is the day as Postgres writes it.
func (d day) String() string { return firstDay.AddDate(0, 0, int(d)).Format(time.DateOnly) }

func dayOf(t time.Time) day { return day(t.UTC().Sub(firstDay) / (24 * time.Hour)) } //nolint:gosec // of this age
