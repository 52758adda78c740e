package product_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

func TestNeed_expect(t *testing.T) {
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	for _, test := range []struct {
		cmd  product.Command
		want product.Need
	}{
		{product.CreateBatch{Ref: "b1", SKU: "CHAIR"}, product.Need{Products: header("CHAIR"), Batches: batchNeed("b1", product.NoShrink)}},
		{product.ChangeBatchQuantity{BatchRef: "b1", Qty: 7}, product.Need{Batches: batchNeed("b1", 7)}},
		{product.ChangeBatchQuantity{BatchRef: "b1", SKU: "CHAIR"}, product.Need{Products: open("CHAIR", 64), Batches: batchNeed("b1", 0)}},
		{product.ChangeBatchEta{BatchRef: "b1", SKU: "CHAIR"}, product.Need{Products: header("CHAIR"), Batches: batchNeed("b1", product.NoShrink)}},
		{product.Allocate{Line: line, Qty: 1}, product.Need{Products: open("CHAIR", 64), Lines: lineNeed(line)}},
		{product.Deallocate{Line: line}, product.Need{Products: header("CHAIR"), Lines: lineNeed(line)}},
		{product.Dispatch{Line: line}, product.Need{Products: header("CHAIR"), Lines: lineNeed(line)}},
	} {
		var need product.Need
		require.True(t, need.Empty())
		need.Expect(test.cmd)
		require.False(t, need.Empty())
		require.Equal(t, test.want, need, "%#v", test.cmd)
	}
}

func TestNeed_mergeAsksForTheMore(t *testing.T) {
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	need := product.NewNeed()
	need.Expect(product.CreateBatch{Ref: "b1", SKU: "CHAIR"})
	need.Expect(product.ChangeBatchQuantity{BatchRef: "b2", Qty: 9})
	need.Merge(&product.Need{
		Products: map[string]*product.WindowNeed{"CHAIR": {Open: 8, Reach: 4, PerQty: 16}, "LAMP": {}},
		Batches:  map[string]product.BatchNeed{"b1": {ShrinkTo: 3}, "b2": {ShrinkTo: product.NoShrink}},
		Lines:    lineNeed(line),
	})
	require.Equal(t, &product.Need{
		Products: map[string]*product.WindowNeed{"CHAIR": {Open: 8, Reach: 4, PerQty: 16}, "LAMP": {}},
		Batches:  map[string]product.BatchNeed{"b1": {ShrinkTo: 3}, "b2": {ShrinkTo: 9}},
		Lines:    lineNeed(line),
	}, need)
}

// What is expected suffices for the usual commands, so that one round of loading decides them.
func TestNeed_expectedSuffices(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 50", "CreateBatch b2 CHAIR 50", "Allocate o1 CHAIR 20", "Allocate o2 CHAIR 20",
		"Allocate o3 CHAIR 5")
	s.db.save(s.catalog)
	for _, text := range []string{
		"CreateBatch b3 LAMP 3", "ChangeBatchQuantity b1 25 sku=CHAIR", "ChangeBatchQuantity b1 60", "ChangeBatchEta b2",
		"Allocate o9 CHAIR 4", "Deallocate o1 CHAIR", "Dispatch o2 CHAIR",
	} {
		cmd, _ := parseCommand(t, text)
		need, catalog := product.NewNeed(), product.NewCatalog()
		need.Expect(cmd)
		s.db.answer(catalog, need, generous)
		require.Nil(t, catalog.Apply(cmd, "").Need, text)
	}
}

func TestApply_needsBatchesBeyondTheWindow(t *testing.T) {
	c := product.NewCatalog()
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	allocate := product.Allocate{Line: line, Qty: 5}
	requireNeed(t, c, allocate, product.Need{Products: open("CHAIR", 64), Lines: lineNeed(line)})
	c.LearnNoLine(line)
	c.LearnProduct("CHAIR", 9, 0)
	requireNeed(t, c, allocate, product.Need{Products: open("CHAIR", 64)})

	near := product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 4}
	c.LearnBatch(near)
	c.LearnOpen("CHAIR", 0, &near)
	requireNeed(t, c, allocate, product.Need{Products: openOf("CHAIR", 64, 5)})

	far := product.Batch{Ref: "b3", SKU: "CHAIR", Qty: 5}
	c.LearnBatch(far) // by its reference: b2 may exist
	requireNeed(t, c, allocate, product.Need{Products: openOf("CHAIR", 64, 5)})

	c.LearnOpen("CHAIR", 5, &product.Batch{Ref: "b2", SKU: "CHAIR"})
	c.LearnBatch(product.Batch{Ref: "b2", SKU: "CHAIR", Qty: 1})
	requireNeed(t, c, allocate, product.Need{Products: openOf("CHAIR", 512, 5)})
	c.LearnOpen("CHAIR", 5, &far)
	require.Equal(t, "b3", c.Apply(allocate, "").Events[0].BatchRef)
}

// Where no batch has enough, that is known from one look, however many batches are open, and also
// of larger quantities.
func TestApply_knowsThatNoOtherBatchHasEnough(t *testing.T) {
	c := product.NewCatalog()
	place := func(order string, qty int64) product.Allocate {
		c.LearnNoLine(product.LineID{SKU: "CHAIR", OrderID: order})
		return product.Allocate{Line: product.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty}
	}
	c.LearnProduct("CHAIR", 9, 0)
	near := product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 4}
	c.LearnBatch(near)
	c.LearnOpen("CHAIR", 0, &near)
	requireNeed(t, c, place("o1", 6), product.Need{Products: openOf("CHAIR", 64, 6)})
	c.LearnOpen("CHAIR", 6, nil)
	for i, qty := range []int64{6, 7, 4} {
		want := product.LineOutOfStock
		if qty == 4 {
			want = product.LineAllocated
		}
		require.Equal(t, want, c.Apply(place(fmt.Sprint("p", i), qty), "").Events[0].Type, "%d", qty)
	}
	requireNeed(t, c, place("o5", 5), product.Need{Products: openOf("CHAIR", 64, 5)})
	requireNeed(t, c, place("o6", 1), product.Need{Products: open("CHAIR", 512)})
	c.LearnBatch(product.Batch{Ref: "b9", SKU: "CHAIR", Qty: 5}) // by its reference: others before it may have 5
	requireNeed(t, c, place("o7", 5), product.Need{Products: openOf("CHAIR", 64, 5)})
}

// The first batches that have much do not tell of those before them that have less.
func TestApply_needsTheBatchesThatHaveLess(t *testing.T) {
	c := product.NewCatalog()
	c.LearnProduct("CHAIR", 9, 0)
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnNoLine(line)
	far := product.Batch{Ref: "b9", SKU: "CHAIR", Qty: 5}
	c.LearnBatch(far)
	c.LearnOpen("CHAIR", 5, &far)
	requireNeed(t, c, product.Allocate{Line: line, Qty: 4}, product.Need{Products: openOf("CHAIR", 64, 4)})
	require.Equal(t, "b9", c.Apply(product.Allocate{Line: line, Qty: 5}, "").Events[0].BatchRef)
}

// What is known of products and batches has an end: those go first that were not used for long, and
// a product with very many batches does not push out the others.
func TestCatalog_forgetsWhatWasNotUsedForLong(t *testing.T) {
	c := product.NewCatalog()
	for n := range 10 {
		sku := fmt.Sprint("s", n)
		c.LearnProduct(sku, 1, 0)
		c.LearnBatch(product.Batch{Ref: "of " + sku, SKU: sku, Qty: 1})
		c.LearnOpen(sku, 0, nil)
		c.Committed()
	}
	c.LearnBatch(product.Batch{Ref: "full", SKU: "s9"})
	c.LearnProduct("large", 1, 0)
	for n := range 8 {
		c.LearnBatch(product.Batch{Ref: fmt.Sprint("l", n), SKU: "large", Qty: 1})
	}
	c.LearnOpen("large", 0, nil)
	c.Committed()
	require.NotNil(t, c.Product("s0"), "the last use")
	c.Committed()
	require.Equal(t, 30, c.Size())

	c.Forget(30)
	require.Equal(t, 30, c.Size())
	c.Forget(28)
	require.Equal(t, 21, c.Size(), "the large one's batches were enough")
	require.True(t, c.Knows("large"))
	require.False(t, c.KnowsBatch("full"))
	require.False(t, c.KnowsBatch("l0"))
	require.True(t, c.Offers("s1"))
	require.False(t, c.Offers("large"))
	c.Forget(16)
	require.Equal(t, 11, c.Size())
	for sku, known := range map[string]bool{"s1": false, "s5": false, "s6": true, "s9": true, "s0": true, "large": true} {
		require.Equal(t, known, c.Knows(sku), sku)
	}
}

// An eta that changes in memory carries a batch over the end of the window; the window stays where
// it was loaded.
func TestApply_windowIsAsLoaded(t *testing.T) {
	c := product.NewCatalog()
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnNoLine(line)
	last := product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 5, ETA: "2030-01-01"}
	c.LearnBatch(last)
	c.LearnOpen("CHAIR", 0, &last)
	require.NotEmpty(t, c.Apply(product.ChangeBatchEta{BatchRef: "b1", ETA: "2030-01-02"}, "").Events)
	requireNeed(t, c, product.Allocate{Line: line, Qty: 5}, product.Need{Products: openOf("CHAIR", 64, 5)})
	require.NotEmpty(t, c.Apply(product.ChangeBatchEta{BatchRef: "b1"}, "").Events)
	require.Equal(t, "b1", c.Apply(product.Allocate{Line: line, Qty: 5}, "").Events[0].BatchRef)
}

func TestApply_needsTheTailOfAShrinkingBatch(t *testing.T) {
	c := product.NewCatalog()
	shrink := product.ChangeBatchQuantity{BatchRef: "b1", Qty: 10, Revision: product.NoRevision}
	requireNeed(t, c, shrink, product.Need{Batches: batchNeed("b1", 10)})
	c.LearnBatch(product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 100, Allocated: 90})
	requireNeed(t, c, shrink, product.Need{Products: open("CHAIR", 64)})
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnOpen("CHAIR", 0, nil)
	requireNeed(t, c, shrink, product.Need{Batches: batchNeed("b1", 10)})

	c.LearnLine(allocated("o3", 3, 5)) // by its identity: there may be later ones
	requireNeed(t, c, shrink, product.Need{Batches: batchNeed("b1", 5)})
	c.LearnLine(allocated("o8", 8, 60))
	c.LearnTail("b1", 8)
	requireNeed(t, c, shrink, product.Need{Batches: batchNeed("b1", 5)}) // 25 unknown, 20 short
	c.LearnLine(allocated("o5", 5, 25))
	require.Len(t, c.Apply(shrink, "").Events, 5, "once nothing is unknown, there is no need to be told so")
}

func TestApply_needsTheLinesThatStockCanServe(t *testing.T) {
	c := product.NewCatalog()
	c.LearnProduct("CHAIR", 100, 50)
	c.LearnNoBatch("b1")
	create := product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 5}
	requireNeed(t, c, create, product.Need{Products: waiting("CHAIR", 16, 16)})

	c.LearnLine(waits("o20", 20, 2))
	c.LearnLine(waits("o30", 30, 6))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 20})
	requireNeed(t, c, create, product.Need{Products: waiting("CHAIR", 16, 128)})
	c.LearnLine(waits("o40", 40, 2))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 40})
	require.Len(t, c.Apply(create, "").Events, 3, "one is left, too little for any of those that are not known")
	require.Equal(t, int64(48), c.Product("CHAIR").Waiting)
}

func TestApply_needsNoLinesWhereNoneWait(t *testing.T) {
	c := product.NewCatalog()
	c.LearnProduct("CHAIR", 100, 1)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o1", 20, 9))
	result := c.Apply(product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: math.MaxInt32}, "")
	require.Len(t, result.Events, 2)
}

// A released line does not go to a batch beyond the window either.
func TestApply_needsBatchesForReleasedLines(t *testing.T) {
	c := product.NewCatalog()
	shrink := product.ChangeBatchQuantity{BatchRef: "b1", Revision: product.NoRevision}
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnBatch(product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 5, Allocated: 5})
	c.LearnBatch(product.Batch{Ref: "b3", SKU: "CHAIR", Qty: 5})
	c.LearnLine(allocated("o3", 3, 5))
	requireNeed(t, c, shrink, product.Need{Products: open("CHAIR", 64)})
	c.LearnOpen("CHAIR", 0, &product.Batch{Ref: "b2"})
	requireNeed(t, c, shrink, product.Need{Products: openOf("CHAIR", 64, 5)})
	c.LearnOpen("CHAIR", 5, &product.Batch{Ref: "b2"})
	requireNeed(t, c, shrink, product.Need{Products: open("CHAIR", 512)}) // of any size, for others
	c.LearnOpen("CHAIR", 0, &product.Batch{Ref: "b1"})                    // less than before
	c.LearnOpen("CHAIR", 0, &product.Batch{Ref: "b3"})
	c.LearnOpen("CHAIR", 0, &product.Batch{Ref: "b1"})
	require.Equal(t, "b3", c.Apply(shrink, "").Events[2].BatchRef)
}

// Lines that left a batch do not hide that another on it, o5, is not known.
func TestApply_countsTheLinesThatAreNotKnown(t *testing.T) {
	leaving := allocated("o3", 3, 5)
	for _, leave := range []product.Command{product.Deallocate{Line: leaving.ID}, product.Dispatch{Line: leaving.ID}} {
		c := product.NewCatalog()
		c.LearnProduct("CHAIR", 9, 0)
		c.LearnOpen("CHAIR", 0, nil)
		c.LearnBatch(product.Batch{Ref: "b1", SKU: "CHAIR", Qty: 15, Allocated: 15})
		c.LearnLine(leaving)
		c.LearnLine(allocated("o4", 4, 5))
		require.Len(t, c.Apply(leave, "").Events, 1)
		shrink := product.ChangeBatchQuantity{BatchRef: "b1", Qty: 5, Revision: product.NoRevision}
		requireNeed(t, c, shrink, product.Need{Batches: batchNeed("b1", 0)})
	}
}

// Lines that no longer wait do not hide that others do.
func TestApply_countsTheWaitingLinesThatAreNotKnown(t *testing.T) {
	c := product.NewCatalog()
	c.LearnProduct("CHAIR", 9, 3)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o3", 3, 5))
	c.LearnLine(waits("o4", 4, 6))
	require.Len(t, c.Apply(product.Deallocate{Line: waits("o3", 3, 5).ID}, "").Events, 1)
	requireNeed(t, c, product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 9}, product.Need{Products: waiting("CHAIR", 16, 16)})
}

// A waiting line that is known by its identity does not pass those before it that are not known.
func TestApply_servesNoLineBeyondTheKnownOnes(t *testing.T) {
	c := product.NewCatalog()
	c.LearnProduct("CHAIR", 100, 3)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o90", 90, 2))
	c.LearnLine(waits("o20", 20, 2))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 20})
	c.LearnWaiting("CHAIR", 4, map[int64]int64{2: 10}) // less than before
	c.LearnWaiting("CHAIR", 1, nil)
	require.Len(t, c.Apply(product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 2}, "").Events, 2)
	c.LearnNoBatch("b2")
	requireNeed(t, c, product.CreateBatch{Ref: "b2", SKU: "CHAIR", Qty: 2}, product.Need{Products: waiting("CHAIR", 16, 1024)})
	c.LearnWaiting("CHAIR", 4, map[int64]int64{}) // the third is of another quantity
	require.Equal(t, "o90", c.Apply(product.CreateBatch{Ref: "b2", SKU: "CHAIR", Qty: 2}, "").Events[1].Line.OrderID)
}

// Of a product that is new, everything is known.
func TestApply_needsNothingOfANewProduct(t *testing.T) {
	c := product.NewCatalog()
	line := product.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnProduct("CHAIR", 0, 0)
	c.LearnNoBatch("b1")
	c.LearnNoLine(line)
	for _, cmd := range []product.Command{
		product.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 5},
		product.Allocate{Line: line, Qty: 6},
		product.ChangeBatchQuantity{BatchRef: "b1", Qty: 6, Revision: product.NoRevision},
		product.ChangeBatchQuantity{BatchRef: "b1", Qty: 3, Revision: product.NoRevision},
	} {
		require.NotEmpty(t, c.Apply(cmd, "").Events, "%#v", cmd)
	}
}

// Knowledge only grows, whatever is told again.
func TestLearn_keepsWhatIsKnown(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 2", "Allocate o2 CHAIR 9")
	s.db.save(s.catalog)
	c := product.NewCatalog()
	tell := func() {
		need := product.NewNeed()
		for _, text := range []string{"Allocate o1 CHAIR 2", "Allocate o2 CHAIR 9", "Allocate o3 CHAIR 1", "ChangeBatchQuantity b1 0", "ChangeBatchEta b2"} {
			cmd, _ := parseCommand(t, text)
			need.Expect(cmd)
		}
		need.Merge(&product.Need{Products: waiting("CHAIR", 16, 16)})
		s.db.answer(c, need, generous)
	}
	tell()
	for _, text := range []string{"Allocate o3 CHAIR 1", "Deallocate o1 CHAIR", "Deallocate o2 CHAIR", "ChangeBatchQuantity b1 2", "CreateBatch b2 CHAIR 1"} {
		cmd, _ := parseCommand(t, text)
		require.NotEmpty(t, c.Apply(cmd, "").Events, text)
	}
	before := snapshot(c)
	tell()
	require.Equal(t, before, snapshot(c))
	shrink, _ := parseCommand(t, "ChangeBatchQuantity b1 0")
	require.Len(t, c.Apply(shrink, "").Events, 3)
	require.Nil(t, c.Apply(product.ChangeBatchEta{BatchRef: "b2", ETA: "2030-01-01"}, "").Refusal)
}

func TestCatalog_productsInOrder(t *testing.T) {
	c := product.NewCatalog()
	c.LearnBatch(product.Batch{Ref: "b1", SKU: "SOFA", Qty: 1})
	c.LearnProduct("LAMP", 0, 0)
	c.LearnProduct("CHAIR", 3, 0)
	require.Nil(t, c.Product("SOFA"), "its batch is known, not the product")
	products := c.Products()
	require.Len(t, products, 2)
	require.Equal(t, "CHAIR", products[0].SKU)
	require.Equal(t, int64(0), products[1].Loaded)
}

func requireNeed(t *testing.T, c *product.Catalog, cmd product.Command, want product.Need) {
	t.Helper()
	got := product.NewNeed()
	got.Merge(c.Apply(cmd, "").Need)
	all := product.NewNeed()
	all.Merge(&want)
	require.Equal(t, all, got)
}

func header(sku string) map[string]*product.WindowNeed { return open(sku, 0) }

func open(sku string, count int) map[string]*product.WindowNeed {
	return map[string]*product.WindowNeed{sku: {Open: count}}
}

func openOf(sku string, count int, least int64) map[string]*product.WindowNeed {
	return map[string]*product.WindowNeed{sku: {Open: count, Least: least}}
}

func waiting(sku string, reach int64, perQty int) map[string]*product.WindowNeed {
	return map[string]*product.WindowNeed{sku: {Reach: reach, PerQty: perQty}}
}

func batchNeed(ref string, shrinkTo int64) map[string]product.BatchNeed {
	return map[string]product.BatchNeed{ref: {ShrinkTo: shrinkTo}}
}

func lineNeed(id product.LineID) map[product.LineID]struct{} {
	return map[product.LineID]struct{}{id: {}}
}

func allocated(order string, placed, qty int64) product.Line {
	return product.Line{
		ID: product.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty, Placed: placed, State: product.Allocated, BatchRef: "b1",
	}
}

func waits(order string, placed, qty int64) product.Line {
	return product.Line{ID: product.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty, Placed: placed, State: product.Waiting}
}
