package domain_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain"
)

func TestNeed_expect(t *testing.T) {
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	for _, test := range []struct {
		cmd  domain.Command
		want domain.Need
	}{
		{domain.CreateBatch{Ref: "b1", SKU: "CHAIR"}, domain.Need{Products: header("CHAIR"), Batches: batchNeed("b1", domain.NoShrink)}},
		{domain.ChangeBatchQuantity{BatchRef: "b1", Qty: 7}, domain.Need{Batches: batchNeed("b1", 7)}},
		{domain.ChangeBatchQuantity{BatchRef: "b1", SKU: "CHAIR"}, domain.Need{Products: open("CHAIR", 64), Batches: batchNeed("b1", 0)}},
		{domain.ChangeBatchEta{BatchRef: "b1", SKU: "CHAIR"}, domain.Need{Products: header("CHAIR"), Batches: batchNeed("b1", domain.NoShrink)}},
		{domain.Allocate{Line: line, Qty: 1}, domain.Need{Products: open("CHAIR", 64), Lines: lineNeed(line)}},
		{domain.Deallocate{Line: line}, domain.Need{Products: header("CHAIR"), Lines: lineNeed(line)}},
		{domain.Dispatch{Line: line}, domain.Need{Products: header("CHAIR"), Lines: lineNeed(line)}},
	} {
		var need domain.Need
		require.True(t, need.Empty())
		need.Expect(test.cmd)
		require.False(t, need.Empty())
		require.Equal(t, test.want, need, "%#v", test.cmd)
	}
}

func TestNeed_mergeAsksForTheMore(t *testing.T) {
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	need := domain.NewNeed()
	need.Expect(domain.CreateBatch{Ref: "b1", SKU: "CHAIR"})
	need.Expect(domain.ChangeBatchQuantity{BatchRef: "b2", Qty: 9})
	need.Merge(&domain.Need{
		Products: map[string]*domain.ProductNeed{"CHAIR": {Open: 8, Reach: 4, PerQty: 16}, "LAMP": {}},
		Batches:  map[string]domain.BatchNeed{"b1": {ShrinkTo: 3}, "b2": {ShrinkTo: domain.NoShrink}},
		Lines:    lineNeed(line),
	})
	require.Equal(t, &domain.Need{
		Products: map[string]*domain.ProductNeed{"CHAIR": {Open: 8, Reach: 4, PerQty: 16}, "LAMP": {}},
		Batches:  map[string]domain.BatchNeed{"b1": {ShrinkTo: 3}, "b2": {ShrinkTo: 9}},
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
		need, catalog := domain.NewNeed(), domain.NewCatalog()
		need.Expect(cmd)
		s.db.answer(catalog, need, generous)
		require.Nil(t, catalog.Apply(cmd, "").Need, text)
	}
}

func TestApply_needsBatchesBeyondTheWindow(t *testing.T) {
	c := domain.NewCatalog()
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	allocate := domain.Allocate{Line: line, Qty: 5}
	requireNeed(t, c, allocate, domain.Need{Products: open("CHAIR", 64), Lines: lineNeed(line)})
	c.LearnNoLine(line)
	c.LearnProduct("CHAIR", 9, 0)
	requireNeed(t, c, allocate, domain.Need{Products: open("CHAIR", 64)})

	near := domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 4}
	c.LearnBatch(near)
	c.LearnOpen("CHAIR", 0, &near)
	requireNeed(t, c, allocate, domain.Need{Products: openOf("CHAIR", 64, 5)})

	far := domain.Batch{Ref: "b3", SKU: "CHAIR", Qty: 5}
	c.LearnBatch(far) // by its reference: b2 may exist
	requireNeed(t, c, allocate, domain.Need{Products: openOf("CHAIR", 64, 5)})

	c.LearnOpen("CHAIR", 5, &domain.Batch{Ref: "b2", SKU: "CHAIR"})
	c.LearnBatch(domain.Batch{Ref: "b2", SKU: "CHAIR", Qty: 1})
	requireNeed(t, c, allocate, domain.Need{Products: openOf("CHAIR", 512, 5)})
	c.LearnOpen("CHAIR", 5, &far)
	require.Equal(t, "b3", c.Apply(allocate, "").Events[0].BatchRef)
}

// Where no batch has enough, that is known from one look, however many batches are open, and also
// of larger quantities.
func TestApply_knowsThatNoOtherBatchHasEnough(t *testing.T) {
	c := domain.NewCatalog()
	place := func(order string, qty int64) domain.Allocate {
		c.LearnNoLine(domain.LineID{SKU: "CHAIR", OrderID: order})
		return domain.Allocate{Line: domain.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty}
	}
	c.LearnProduct("CHAIR", 9, 0)
	near := domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 4}
	c.LearnBatch(near)
	c.LearnOpen("CHAIR", 0, &near)
	requireNeed(t, c, place("o1", 6), domain.Need{Products: openOf("CHAIR", 64, 6)})
	c.LearnOpen("CHAIR", 6, nil)
	for i, qty := range []int64{6, 7, 4} {
		want := domain.LineOutOfStock
		if qty == 4 {
			want = domain.LineAllocated
		}
		require.Equal(t, want, c.Apply(place(fmt.Sprint("p", i), qty), "").Events[0].Type, "%d", qty)
	}
	requireNeed(t, c, place("o5", 5), domain.Need{Products: openOf("CHAIR", 64, 5)})
	requireNeed(t, c, place("o6", 1), domain.Need{Products: open("CHAIR", 512)})
	c.LearnBatch(domain.Batch{Ref: "b9", SKU: "CHAIR", Qty: 5}) // by its reference: others before it may have 5
	requireNeed(t, c, place("o7", 5), domain.Need{Products: openOf("CHAIR", 64, 5)})
}

// The first batches that have much do not tell of those before them that have less.
func TestApply_needsTheBatchesThatHaveLess(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnProduct("CHAIR", 9, 0)
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnNoLine(line)
	far := domain.Batch{Ref: "b9", SKU: "CHAIR", Qty: 5}
	c.LearnBatch(far)
	c.LearnOpen("CHAIR", 5, &far)
	requireNeed(t, c, domain.Allocate{Line: line, Qty: 4}, domain.Need{Products: openOf("CHAIR", 64, 4)})
	require.Equal(t, "b9", c.Apply(domain.Allocate{Line: line, Qty: 5}, "").Events[0].BatchRef)
}

// What is known of products and batches has an end: those go first that were not used for long, and
// a product with very many batches does not push out the others.
func TestCatalog_forgetsWhatWasNotUsedForLong(t *testing.T) {
	c := domain.NewCatalog()
	for n := range 10 {
		sku := fmt.Sprint("s", n)
		c.LearnProduct(sku, 1, 0)
		c.LearnBatch(domain.Batch{Ref: "of " + sku, SKU: sku, Qty: 1})
		c.LearnOpen(sku, 0, nil)
		c.Committed()
	}
	c.LearnBatch(domain.Batch{Ref: "full", SKU: "s9"})
	c.LearnProduct("large", 1, 0)
	for n := range 8 {
		c.LearnBatch(domain.Batch{Ref: fmt.Sprint("l", n), SKU: "large", Qty: 1})
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
	c := domain.NewCatalog()
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnNoLine(line)
	last := domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 5, ETA: "2030-01-01"}
	c.LearnBatch(last)
	c.LearnOpen("CHAIR", 0, &last)
	require.NotEmpty(t, c.Apply(domain.ChangeBatchEta{BatchRef: "b1", ETA: "2030-01-02"}, "").Events)
	requireNeed(t, c, domain.Allocate{Line: line, Qty: 5}, domain.Need{Products: openOf("CHAIR", 64, 5)})
	require.NotEmpty(t, c.Apply(domain.ChangeBatchEta{BatchRef: "b1"}, "").Events)
	require.Equal(t, "b1", c.Apply(domain.Allocate{Line: line, Qty: 5}, "").Events[0].BatchRef)
}

func TestApply_needsTheTailOfAShrinkingBatch(t *testing.T) {
	c := domain.NewCatalog()
	shrink := domain.ChangeBatchQuantity{BatchRef: "b1", Qty: 10, Revision: domain.NoRevision}
	requireNeed(t, c, shrink, domain.Need{Batches: batchNeed("b1", 10)})
	c.LearnBatch(domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 100, Allocated: 90})
	requireNeed(t, c, shrink, domain.Need{Products: open("CHAIR", 64)})
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnOpen("CHAIR", 0, nil)
	requireNeed(t, c, shrink, domain.Need{Batches: batchNeed("b1", 10)})

	c.LearnLine(allocated("o3", 3, 5)) // by its identity: there may be later ones
	requireNeed(t, c, shrink, domain.Need{Batches: batchNeed("b1", 5)})
	c.LearnLine(allocated("o8", 8, 60))
	c.LearnTail("b1", 8)
	requireNeed(t, c, shrink, domain.Need{Batches: batchNeed("b1", 5)}) // 25 unknown, 20 short
	c.LearnLine(allocated("o5", 5, 25))
	require.Len(t, c.Apply(shrink, "").Events, 5, "once nothing is unknown, there is no need to be told so")
}

func TestApply_needsTheLinesThatStockCanServe(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnProduct("CHAIR", 100, 50)
	c.LearnNoBatch("b1")
	create := domain.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 5}
	requireNeed(t, c, create, domain.Need{Products: waiting("CHAIR", 16, 16)})

	c.LearnLine(waits("o20", 20, 2))
	c.LearnLine(waits("o30", 30, 6))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 20})
	requireNeed(t, c, create, domain.Need{Products: waiting("CHAIR", 16, 128)})
	c.LearnLine(waits("o40", 40, 2))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 40})
	require.Len(t, c.Apply(create, "").Events, 3, "one is left, too little for any of those that are not known")
	require.Equal(t, int64(48), c.Product("CHAIR").Waiting)
}

func TestApply_needsNoLinesWhereNoneWait(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnProduct("CHAIR", 100, 1)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o1", 20, 9))
	result := c.Apply(domain.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: math.MaxInt32}, "")
	require.Len(t, result.Events, 2)
}

// A released line does not go to a batch beyond the window either.
func TestApply_needsBatchesForReleasedLines(t *testing.T) {
	c := domain.NewCatalog()
	shrink := domain.ChangeBatchQuantity{BatchRef: "b1", Revision: domain.NoRevision}
	c.LearnProduct("CHAIR", 9, 0)
	c.LearnBatch(domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 5, Allocated: 5})
	c.LearnBatch(domain.Batch{Ref: "b3", SKU: "CHAIR", Qty: 5})
	c.LearnLine(allocated("o3", 3, 5))
	requireNeed(t, c, shrink, domain.Need{Products: open("CHAIR", 64)})
	c.LearnOpen("CHAIR", 0, &domain.Batch{Ref: "b2"})
	requireNeed(t, c, shrink, domain.Need{Products: openOf("CHAIR", 64, 5)})
	c.LearnOpen("CHAIR", 5, &domain.Batch{Ref: "b2"})
	requireNeed(t, c, shrink, domain.Need{Products: open("CHAIR", 512)}) // of any size, for others
	c.LearnOpen("CHAIR", 0, &domain.Batch{Ref: "b1"})                    // less than before
	c.LearnOpen("CHAIR", 0, &domain.Batch{Ref: "b3"})
	c.LearnOpen("CHAIR", 0, &domain.Batch{Ref: "b1"})
	require.Equal(t, "b3", c.Apply(shrink, "").Events[2].BatchRef)
}

// Lines that left a batch do not hide that another on it, o5, is not known.
func TestApply_countsTheLinesThatAreNotKnown(t *testing.T) {
	leaving := allocated("o3", 3, 5)
	for _, leave := range []domain.Command{domain.Deallocate{Line: leaving.ID}, domain.Dispatch{Line: leaving.ID}} {
		c := domain.NewCatalog()
		c.LearnProduct("CHAIR", 9, 0)
		c.LearnOpen("CHAIR", 0, nil)
		c.LearnBatch(domain.Batch{Ref: "b1", SKU: "CHAIR", Qty: 15, Allocated: 15})
		c.LearnLine(leaving)
		c.LearnLine(allocated("o4", 4, 5))
		require.Len(t, c.Apply(leave, "").Events, 1)
		shrink := domain.ChangeBatchQuantity{BatchRef: "b1", Qty: 5, Revision: domain.NoRevision}
		requireNeed(t, c, shrink, domain.Need{Batches: batchNeed("b1", 0)})
	}
}

// Lines that no longer wait do not hide that others do.
func TestApply_countsTheWaitingLinesThatAreNotKnown(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnProduct("CHAIR", 9, 3)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o3", 3, 5))
	c.LearnLine(waits("o4", 4, 6))
	require.Len(t, c.Apply(domain.Deallocate{Line: waits("o3", 3, 5).ID}, "").Events, 1)
	requireNeed(t, c, domain.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 9}, domain.Need{Products: waiting("CHAIR", 16, 16)})
}

// A waiting line that is known by its identity does not pass those before it that are not known.
func TestApply_servesNoLineBeyondTheKnownOnes(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnProduct("CHAIR", 100, 3)
	c.LearnNoBatch("b1")
	c.LearnLine(waits("o90", 90, 2))
	c.LearnLine(waits("o20", 20, 2))
	c.LearnWaiting("CHAIR", 16, map[int64]int64{2: 20})
	c.LearnWaiting("CHAIR", 4, map[int64]int64{2: 10}) // less than before
	c.LearnWaiting("CHAIR", 1, nil)
	require.Len(t, c.Apply(domain.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 2}, "").Events, 2)
	c.LearnNoBatch("b2")
	requireNeed(t, c, domain.CreateBatch{Ref: "b2", SKU: "CHAIR", Qty: 2}, domain.Need{Products: waiting("CHAIR", 16, 1024)})
	c.LearnWaiting("CHAIR", 4, map[int64]int64{}) // the third is of another quantity
	require.Equal(t, "o90", c.Apply(domain.CreateBatch{Ref: "b2", SKU: "CHAIR", Qty: 2}, "").Events[1].Line.OrderID)
}

// Of a product that is new, everything is known.
func TestApply_needsNothingOfANewProduct(t *testing.T) {
	c := domain.NewCatalog()
	line := domain.LineID{SKU: "CHAIR", OrderID: "o1"}
	c.LearnProduct("CHAIR", 0, 0)
	c.LearnNoBatch("b1")
	c.LearnNoLine(line)
	for _, cmd := range []domain.Command{
		domain.CreateBatch{Ref: "b1", SKU: "CHAIR", Qty: 5},
		domain.Allocate{Line: line, Qty: 6},
		domain.ChangeBatchQuantity{BatchRef: "b1", Qty: 6, Revision: domain.NoRevision},
		domain.ChangeBatchQuantity{BatchRef: "b1", Qty: 3, Revision: domain.NoRevision},
	} {
		require.NotEmpty(t, c.Apply(cmd, "").Events, "%#v", cmd)
	}
}

// Knowledge only grows, whatever is told again.
func TestLearn_keepsWhatIsKnown(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 2", "Allocate o2 CHAIR 9")
	s.db.save(s.catalog)
	c := domain.NewCatalog()
	tell := func() {
		need := domain.NewNeed()
		for _, text := range []string{"Allocate o1 CHAIR 2", "Allocate o2 CHAIR 9", "Allocate o3 CHAIR 1", "ChangeBatchQuantity b1 0", "ChangeBatchEta b2"} {
			cmd, _ := parseCommand(t, text)
			need.Expect(cmd)
		}
		need.Merge(&domain.Need{Products: waiting("CHAIR", 16, 16)})
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
	require.Nil(t, c.Apply(domain.ChangeBatchEta{BatchRef: "b2", ETA: "2030-01-01"}, "").Refusal)
}

func TestCatalog_productsInOrder(t *testing.T) {
	c := domain.NewCatalog()
	c.LearnBatch(domain.Batch{Ref: "b1", SKU: "SOFA", Qty: 1})
	c.LearnProduct("LAMP", 0, 0)
	c.LearnProduct("CHAIR", 3, 0)
	require.Nil(t, c.Product("SOFA"), "its batch is known, not the product")
	products := c.Products()
	require.Len(t, products, 2)
	require.Equal(t, "CHAIR", products[0].SKU)
	require.Equal(t, int64(0), products[1].Loaded)
}

func requireNeed(t *testing.T, c *domain.Catalog, cmd domain.Command, want domain.Need) {
	t.Helper()
	got := domain.NewNeed()
	got.Merge(c.Apply(cmd, "").Need)
	all := domain.NewNeed()
	all.Merge(&want)
	require.Equal(t, all, got)
}

func header(sku string) map[string]*domain.ProductNeed { return open(sku, 0) }

func open(sku string, count int) map[string]*domain.ProductNeed {
	return map[string]*domain.ProductNeed{sku: {Open: count}}
}

func openOf(sku string, count int, least int64) map[string]*domain.ProductNeed {
	return map[string]*domain.ProductNeed{sku: {Open: count, Least: least}}
}

func waiting(sku string, reach int64, perQty int) map[string]*domain.ProductNeed {
	return map[string]*domain.ProductNeed{sku: {Reach: reach, PerQty: perQty}}
}

func batchNeed(ref string, shrinkTo int64) map[string]domain.BatchNeed {
	return map[string]domain.BatchNeed{ref: {ShrinkTo: shrinkTo}}
}

func lineNeed(id domain.LineID) map[domain.LineID]struct{} {
	return map[domain.LineID]struct{}{id: {}}
}

func allocated(order string, placed, qty int64) domain.Line {
	return domain.Line{
		ID: domain.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty, Placed: placed, State: domain.Allocated, BatchRef: "b1",
	}
}

func waits(order string, placed, qty int64) domain.Line {
	return domain.Line{ID: domain.LineID{SKU: "CHAIR", OrderID: order}, Qty: qty, Placed: placed, State: domain.Waiting}
}
