package warehouse

import (
	"slices"
	"strconv"
	"strings"
)

// Batch is a shipment of an article.
type Batch struct {
	Ref      string `json:"ref"`
	Shipment int64  `json:"shipment"`
	Received int64  `json:"received"` // or announced, until it arrives
	Lost     int64  `json:"lost"`     // damaged, or missing when it was counted
	Shipped  int64  `json:"shipped"`
	Picked   int64  `json:"picked"` // the quantities of the lines whose Dispatch is on its way
	ETA      string `json:"eta,omitempty"`
	Arrived  bool   `json:"arrived"`

	Told     []Told `json:"told"` // what was lost as stock was told, by revision; the last maxTold of them
	Revision int64  `json:"revision"`
	Telling  bool   `json:"telling,omitempty"` // not all events of what was told last have come
	Again    bool   `json:"again,omitempty"`   // somebody else told stock another quantity: tell it again

	Reports []string `json:"reports,omitempty"` // the ids of the last maxReports reports of damage and counts
}

// Told is what was lost of a batch as a revision was told. It holds at stock from that revision on.
type Told struct {
	Revision int64 `json:"revision"`
	Lost     int64 `json:"lost"`
}

// noRevision is that of a batch of which stock was told none.
const noRevision int64 = -1

const (
	maxTold    = 8
	maxReports = 8
)

// RefOf is the reference that stock knows the batch of a shipment by.
func RefOf(sku string, shipment int64) string { return sku + "." + strconv.FormatInt(shipment, 10) }

// shipmentOf is the shipment of an article that a reference names; 0: none.
func shipmentOf(sku, ref string) int64 {
	number, is := strings.CutPrefix(ref, sku+".")
	if shipment, err := strconv.ParseInt(number, 10, 64); is && err == nil {
		return shipment
	}
	return 0
}

// Shelf is what is there, or comes, and is not picked.
func (b *Batch) Shelf() int64 { return b.Received - b.Lost - b.Shipped - b.Picked }

// LostAt is what stock knows to be lost while it has a revision of the batch (-1: none). ok is
// false where that was too long ago.
func (b *Batch) LostAt(revision int64) (lost int64, ok bool) {
	for _, t := range b.Told {
		if t.Revision <= revision {
			lost, ok = t.Lost, true
		}
	}
	return lost, ok
}

// settled reports whether stock knows what is lost, and the warehouse knows what stock did about
// it.
func (b *Batch) settled() bool {
	return !b.Telling && !b.Again && b.Lost == b.Told[len(b.Told)-1].Lost
}

// over reports whether nothing is left, and nothing on its way.
func (b *Batch) over() bool {
	return b.Arrived && b.settled() && b.Picked == 0 && b.Shelf() == 0
}

// tell notes that what is lost is told.
func (b *Batch) tell() {
	b.Told = append(b.Told, Told{b.Revision + 1, b.Lost})
	b.Told = b.Told[max(0, len(b.Told)-maxTold):]
	b.Telling, b.Again = true, false
}

// reported notes the id of a report. It returns true if the id was noted before.
func (b *Batch) reported(id string) (repeat bool) {
	if slices.Contains(b.Reports, id) {
		return true
	}
	b.Reports = append(b.Reports, id)
	b.Reports = b.Reports[max(0, len(b.Reports)-maxReports):]
	return false
}
