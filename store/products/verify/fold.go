package verify

import "allocation/store/verify"

type lineKey struct{ sku, orderID, lineID string }

type batchRow struct {
	Ref, SKU string
	Qty      int64
	ETA      string
	FirstQty int64
	FirstETA string
	Revision int64
}

type lineState struct {
	OrderID, SKU, LineID string
	Qty, Placed          int64
	State, BatchRef      string
}

const (
	batchColumns     = `ref, sku, qty, coalesce(eta::text, ''), first_qty, coalesce(first_eta::text, ''), coalesce(revision, -1)`
	lineColumns      = `l.orderid, l.sku, l.lineid, l.qty, l.placed, l.state::text, coalesce(l.batchref, '')`
	versionsSQL      = `select sku, version from products where sku > $1 order by sku limit $2`
	batchesSQL       = `select ` + batchColumns + ` from batches where ref > $1 order by ref limit $2`
	linesToFoldSQL   = `select ` + lineColumns + ` from lines l where (orderid, sku, lineid) > ($1, $2, $3) order by orderid, sku, lineid limit $4`
	theseVersionsSQL = `select sku, version from products where sku = any($1)`
	theseBatchesSQL  = `select ` + batchColumns + ` from batches where ref = any($1)`
	theseLinesSQL    = `
select ` + lineColumns + ` from unnest($1::text[], $2::text[], $3::text[]) k (orderid, sku, lineid)
cross join lateral (select * from lines where orderid = k.orderid and sku = k.sku and lineid = k.lineid limit 1) l`
)

var batchTable = verify.Table[string, batch, batchRow]{
	Name: "batches", Part: "batch", Row: func(ref string) string { return ref },
	Read: func(r *batchRow) (string, string, batch) {
		return r.SKU, r.Ref, batch{sku: r.SKU, qty: r.Qty, firstQty: r.FirstQty, eta: r.ETA, firstETA: r.FirstETA, revision: r.Revision}
	},
	Rows: batchesSQL, After: func(after *batchRow) []any { return []any{after.Ref} },
	These: theseBatchesSQL, Parts: func(refs []string) []any { return []any{refs} },
}

var lineTable = verify.Table[lineKey, line, lineState]{
	Name: "lines", Part: "line", Row: func(k lineKey) string { return lineName(k.orderID, k.lineID) },
	Read: func(r *lineState) (string, lineKey, line) {
		return r.SKU, lineKey{r.SKU, r.OrderID, r.LineID}, line{qty: r.Qty, placed: r.Placed, state: r.State, batch: r.BatchRef}
	},
	Rows: linesToFoldSQL, After: func(after *lineState) []any { return []any{after.OrderID, after.SKU, after.LineID} },
	These: theseLinesSQL, Parts: func(keys []lineKey) []any {
		var orders, skus, lines []string
		for _, k := range keys {
			orders, skus, lines = append(orders, k.orderID), append(skus, k.sku), append(lines, k.lineID)
		}
		return []any{orders, skus, lines}
	},
}

// fold adds up the events of batches and lines.
type fold struct {
	pass    *verify.Pass
	batches *verify.Parts[string, batch, batchRow] // by reference, which is unique over products
	lines   *verify.Parts[lineKey, line, lineState]
}

func newFold(p *verify.Pass) (add func(*verify.Event)) {
	f := &fold{pass: p, batches: verify.NewParts(p, batchTable), lines: verify.NewParts(p, lineTable)}
	return f.add
}

func (f *fold) add(e *verify.Event) {
	d, err := decode(e.Type, e.Data)
	if err != nil || d.SKU != e.Key {
		f.pass.Contradicts(e, "data of a "+e.Type+" of this product", string(e.Data))
		return
	}
	ref := d.BatchRef
	if e.Type == "BatchCreated" {
		ref = d.Ref
	}
	if ref != "" && f.batches.Holds(e.Key, ref) {
		f.changeBatch(e, d, ref)
	}
	if key := (lineKey{e.Key, d.OrderID, d.LineID}); d.OrderID != "" && f.lines.Holds(e.Key, key) {
		f.changeLine(e, d, key)
	}
}
