package product_test

import "testing"

// The examples of the specification, by their numbers.

var example1 = []string{
	"CreateBatch b1 CHAIR 50", "CreateBatch b2 CHAIR 50 eta=2030-01-01",
	"Allocate o1 CHAIR 20", "Allocate o2 CHAIR 20", "ChangeBatchQuantity b1 25 id=change-1",
}

func TestExample1_reallocation(t *testing.T) {
	s := given(t, example1[:2]...)
	s.when(example1[2:4]...).then("Allocated o1 b1", "Allocated o2 b1")
	s.when(example1[4]).then("BatchQuantityChanged b1 25", "Deallocated o2 b1 batch_reduced", "Allocated o2 b2")
}

func TestExample2_noStockElsewhere(t *testing.T) {
	s := given(t, "CreateBatch b1 CHAIR 50", "Allocate o1 CHAIR 20", "Allocate o2 CHAIR 20")
	s.when("ChangeBatchQuantity b1 25").
		then("BatchQuantityChanged b1 25", "Deallocated o2 b1 batch_reduced", "OutOfStock o2")
	s.when("CreateBatch b3 CHAIR 20").then("BatchCreated b3 20", "Allocated o2 b3")
}

func TestExample3_aSmallLinePasses(t *testing.T) {
	s := given(t, "CreateBatch b1 LAMP 5")
	s.when("Allocate o1 LAMP 10").then("OutOfStock o1")
	s.when("Allocate o2 LAMP 5").then("Allocated o2 b1")
	s.when("CreateBatch b2 LAMP 10").then("BatchCreated b2 10", "Allocated o1 b2")
}

func TestExample4_netChange(t *testing.T) {
	given(t, "CreateBatch b1 DESK 20", "Allocate o1 DESK 10", "Allocate o2 DESK 3").
		when("ChangeBatchQuantity b1 5").
		then("BatchQuantityChanged b1 5", "Deallocated o1 b1 batch_reduced", "OutOfStock o1").
		batch("b1", 5, 2)
}

func TestExample5_preference(t *testing.T) {
	s := given(t,
		"CreateBatch a-later SOFA 1 eta=2030-02-01", "CreateBatch b-tomorrow SOFA 1 eta=2030-01-01",
		"CreateBatch c-here SOFA 1", "CreateBatch d-here SOFA 1")
	s.when("Allocate o1 SOFA 1", "Allocate o2 SOFA 1", "Allocate o3 SOFA 1", "Allocate o4 SOFA 1").
		then("Allocated o1 c-here", "Allocated o2 d-here", "Allocated o3 b-tomorrow", "Allocated o4 a-later")
}

func TestExample6_repeats(t *testing.T) {
	s := given(t)
	for _, command := range example1 {
		s.when(command)
		s.when(command).nothing()
	}
	s.when("Allocate o1 CHAIR 21").then("refused: line_conflict", "AllocationRejected o1 line_conflict")
}

func TestExample7_dispatch(t *testing.T) {
	s := given(t, example1...)
	s.when("Dispatch o1 CHAIR").then("Dispatched o1 b1").batch("b1", 5, 5)
	s.when("Dispatch o2 CHAIR").then("refused: batch_not_arrived")
	s.when("ChangeBatchEta b2").then("BatchEtaChanged b2")
	s.when("Dispatch o2 CHAIR").then("Dispatched o2 b2")
}

func TestExample8_lateRepeat(t *testing.T) {
	s := given(t, example1...)
	s.when("Dispatch o1 CHAIR", "ChangeBatchEta b2 id=arrived", "Dispatch o2 CHAIR")
	s.when("ChangeBatchQuantity b1 25 id=change-1").nothing()
	s.when("ChangeBatchQuantity b1 25").then("BatchQuantityChanged b1 25")
}

func TestExample8_lateRepeatByRevision(t *testing.T) {
	s := given(t, example1[:4]...)
	s.when("ChangeBatchQuantity b1 25 revision=7", "Dispatch o1 CHAIR")
	s.when("ChangeBatchQuantity b1 25 revision=7").nothing()
}

func TestExample9_cancelServesTheNext(t *testing.T) {
	s := given(t, "CreateBatch b1 SOFA 1", "Allocate o1 SOFA 1")
	s.when("Allocate o2 SOFA 1").then("OutOfStock o2")
	s.when("Deallocate o1 SOFA").then("Deallocated o1 b1 cancelled", "Allocated o2 b1")
	s.when("Allocate o1 SOFA 1").then("refused: line_cancelled", "AllocationRejected o1 line_cancelled")
	s.when("Allocate o1 SOFA 1 lineid=again").then("OutOfStock o1 lineid=again")
}
