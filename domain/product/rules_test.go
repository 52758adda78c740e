package product_test

import "testing"

// The rules of the specification, command by command: what each does, when it has no effect, why it
// is refused.

func TestCreateBatch(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5 eta=2030-01-01", "Allocate o1 CHAIR 9", "Allocate o2 CHAIR 3", "Allocate o3 CHAIR 3")
	s.when("CreateBatch b2 CHAIR 12").then("BatchCreated b2 12", "Allocated o1 b2", "Allocated o3 b2")
	s.when("CreateBatch b3 CHAIR 0").then("BatchCreated b3 0")
	s.when("CreateBatch b4 CHAIR 1 eta=2030-01-01").then("BatchCreated b4 1 eta=2030-01-01")
}

func TestCreateBatch_again(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5 eta=2030-01-01", "ChangeBatchQuantity b1 7", "ChangeBatchEta b1")
	s.when("CreateBatch b1 CHAIR 5 eta=2030-01-01").nothing()
	s.when("CreateBatch b1 CHAIR 7 eta=2030-01-01").then("refused: batch_conflict")
	s.when("CreateBatch b1 CHAIR 5").then("refused: batch_conflict")
	s.when("CreateBatch b1 LAMP 5 eta=2030-01-01").then("refused: batch_conflict")
	s.when("Allocate o1 LAMP 1").then("refused: unknown_sku", "AllocationRejected o1 unknown_sku")
}

func TestChangeBatchQuantity(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 4", "Allocate o2 CHAIR 4", "Allocate o3 CHAIR 1")
	s.when("ChangeBatchQuantity b1 9").then("BatchQuantityChanged b1 9", "Allocated o2 b1").batch("b1", 9, 0)
	s.when("ChangeBatchQuantity b1 4").
		then("BatchQuantityChanged b1 4", "Deallocated o2 b1 batch_reduced", "Deallocated o3 b1 batch_reduced",
			"OutOfStock o2", "OutOfStock o3")
	s.when("ChangeBatchQuantity b1 4").nothing()
	s.when("ChangeBatchQuantity b1 5 sku=CHAIR").then("BatchQuantityChanged b1 5", "Allocated o3 b1")
	s.when("ChangeBatchQuantity b1 0").
		then("BatchQuantityChanged b1 0", "Deallocated o1 b1 batch_reduced", "Deallocated o3 b1 batch_reduced",
			"OutOfStock o1", "OutOfStock o3")
}

func TestChangeBatchQuantity_releasedLinesServeOthers(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 10", "CreateBatch b2 CHAIR 3 eta=2030-01-01",
		"Allocate o1 CHAIR 2", "Allocate o2 CHAIR 8", "Allocate o3 CHAIR 5", "Allocate o4 CHAIR 4")
	s.when("ChangeBatchQuantity b1 9").
		then("BatchQuantityChanged b1 9", "Deallocated o2 b1 batch_reduced", "OutOfStock o2", "Allocated o3 b1").
		batch("b1", 9, 2)
}

func TestChangeBatchQuantity_revisions(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5")
	s.when("ChangeBatchQuantity b1 5 revision=0").then("BatchQuantityChanged b1 5 revision=0")
	s.when("ChangeBatchQuantity b1 6 revision=3").then("BatchQuantityChanged b1 6 revision=3")
	s.when("ChangeBatchQuantity b1 7 revision=3", "ChangeBatchQuantity b1 7 revision=2").nothing()
	s.when("ChangeBatchQuantity b1 7").then("BatchQuantityChanged b1 7")
	s.when("ChangeBatchQuantity b1 8 revision=3").nothing()
	s.when("ChangeBatchQuantity b1 7 revision=4").then("BatchQuantityChanged b1 7 revision=4")
	s.when("ChangeBatchQuantity b1 8 revision=9223372036854775807").
		then("BatchQuantityChanged b1 8 revision=9223372036854775807")
}

func TestChangeBatchQuantity_repeats(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 1", "ChangeBatchQuantity b1 6 id=x")
	s.when("Dispatch o1 CHAIR id=d", "ChangeBatchEta b1 eta=2030-01-01 id=e")
	s.when("ChangeBatchQuantity b1 6 id=x").nothing() // not that of another command
	s.when("ChangeBatchQuantity b1 5 id=y").nothing() // no change, so x is still the last
	s.when("ChangeBatchQuantity b1 6 id=x").nothing()
	s.when("ChangeBatchQuantity b1 6 id=x revision=1").then("BatchQuantityChanged b1 6 revision=1")
	s.when("ChangeBatchQuantity b1 7").then("BatchQuantityChanged b1 7")
	s.when("ChangeBatchQuantity b1 8").then("BatchQuantityChanged b1 8") // no id is no repeat
	s.when("ChangeBatchQuantity b1 6 id=x").then("BatchQuantityChanged b1 6")
}

func TestChangeBatchQuantity_refused(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "CreateBatch b2 LAMP 5")
	s.when("ChangeBatchQuantity b3 5").then("refused: unknown_batch")
	s.when("ChangeBatchQuantity b3 5 sku=CHAIR").then("refused: unknown_batch")
	s.when("ChangeBatchQuantity b1 5 sku=LAMP").then("refused: sku_mismatch")
}

func TestChangeBatchEta(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5 eta=2030-01-01", "CreateBatch b2 CHAIR 5 eta=2030-01-02", "Allocate o1 CHAIR 1")
	s.when("ChangeBatchEta b1 eta=2030-01-01").nothing()
	s.when("ChangeBatchEta b1 eta=2030-01-03").then("BatchEtaChanged b1 eta=2030-01-03")
	s.when("Allocate o2 CHAIR 1").then("Allocated o2 b2")
	s.when("ChangeBatchEta b1 sku=CHAIR").then("BatchEtaChanged b1")
	s.when("ChangeBatchEta b1").nothing()
	s.when("Allocate o3 CHAIR 1").then("Allocated o3 b1")
	s.when("ChangeBatchEta b3").then("refused: unknown_batch")
	s.when("ChangeBatchEta b1 sku=LAMP").then("refused: sku_mismatch")
}

func TestAllocate(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5")
	s.when("Allocate o1 CHAIR 5").then("Allocated o1 b1")
	s.when("Allocate o1 CHAIR 5 lineid=2").then("OutOfStock o1 lineid=2")
	s.when("Allocate o1 CHAIR 5", "Allocate o1 CHAIR 5 lineid=2").nothing()
	s.when("Dispatch o1 CHAIR", "Allocate o1 CHAIR 5").then("Dispatched o1 b1")
}

func TestAllocate_refused(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 5", "Allocate o2 CHAIR 1", "Deallocate o2 CHAIR")
	s.when("Allocate o1 LAMP 5").then("refused: unknown_sku", "AllocationRejected o1 unknown_sku")
	s.when("Allocate o1 CHAIR 4").then("refused: line_conflict", "AllocationRejected o1 line_conflict")
	s.when("Allocate o2 CHAIR 2").then("refused: line_conflict", "AllocationRejected o2 line_conflict") // the first reason
	s.when("Allocate o2 CHAIR 1").then("refused: line_cancelled", "AllocationRejected o2 line_cancelled")
}

func TestDeallocate(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 5", "Allocate o2 CHAIR 3", "Allocate o3 CHAIR 2 lineid=l")
	s.when("Deallocate o2 CHAIR").then("Deallocated o2 cancelled")
	s.when("Deallocate o2 CHAIR").nothing()
	s.when("Deallocate o1 CHAIR").then("Deallocated o1 b1 cancelled", "Allocated o3 lineid=l b1").batch("b1", 5, 3)
}

func TestDeallocate_refused(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 5", "Dispatch o1 CHAIR")
	s.when("Deallocate o1 LAMP").then("refused: unknown_line")
	s.when("Deallocate o1 CHAIR lineid=1").then("refused: unknown_line")
	s.when("Deallocate o1 CHAIR").then("refused: line_dispatched")
}

func TestDispatch(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5", "Allocate o1 CHAIR 3 lineid=1", "Allocate o2 CHAIR 4")
	s.when("Dispatch o1 CHAIR lineid=1").then("Dispatched o1 lineid=1 b1").batch("b1", 2, 2)
	s.when("Dispatch o1 CHAIR lineid=1").nothing()
	s.when("ChangeBatchQuantity b1 4").then("BatchQuantityChanged b1 4", "Allocated o2 b1")
}

func TestDispatch_refused(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 5 eta=2030-01-01", "Allocate o1 CHAIR 3", "Allocate o2 CHAIR 4", "Allocate o3 CHAIR 1",
		"Deallocate o3 CHAIR")
	s.when("Dispatch o1 LAMP", "Dispatch o4 CHAIR").then("refused: unknown_line", "refused: unknown_line")
	s.when("Dispatch o2 CHAIR").then("refused: line_waiting")
	s.when("Dispatch o3 CHAIR").then("refused: line_cancelled")
	s.when("Dispatch o1 CHAIR").then("refused: batch_not_arrived")
}
