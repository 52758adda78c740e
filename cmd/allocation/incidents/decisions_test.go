package incidents

import (
	"testing"

	"allocation/cmd/internal/cli"
)

func TestIncident_anOrderIsOnABatchThatLooksWrong(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=order-1")
	s.Send("Allocate", "orderid=o2", "sku=CHAIR", "qty=20", "--id=order-2", "--correlation-id=shop-9")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=25", "--id=count-1")
	s.AwaitAtRest(7)
	requireAnswer(s, "An order is on a batch that looks wrong", cli.ExitDone)
}

func TestIncident_aLineWaitsThoughThereIsStock(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=order-1")
	s.Send("Allocate", "orderid=o3", "sku=CHAIR", "qty=60", "--id=order-3")
	s.AwaitAtRest(4)
	requireAnswer(s, "A line waits though there is stock", cli.ExitDone)
}

func TestIncident_aCommandCameTwice(t *testing.T) {
	t.Parallel()
	s := shop(t)
	for range 2 {
		s.Send("Allocate", "orderid=o1", "sku=CHAIR", "qty=20", "--id=order-1")
	}
	awaitReported(s, 4)
	requireAnswer(s, "A command came twice", cli.ExitDone)
}

func TestIncident_aRevisionWasStale(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=40", "revision=3", "--id=count-3")
	s.Send("ChangeBatchQuantity", "batchref=b1", "sku=CHAIR", "qty=60", "revision=2", "--id=count-2")
	awaitReported(s, 4)
	requireAnswer(s, "A revision was stale", cli.ExitDone)
}

func TestIncident_aCommandWasRefusedBecauseItWasEarly(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.Send("ChangeBatchQuantity", "batchref=b3", "sku=CHAIR", "qty=25", "--id=count-1")
	s.Send("CreateBatch", "ref=b3", "sku=CHAIR", "qty=50", "--id=delivery-3")
	awaitReported(s, 4)
	requireAnswer(s, "A command was refused because it was early", cli.ExitDone)
}
