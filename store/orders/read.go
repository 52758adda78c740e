package orders

import (
	"errors"

	"allocation/domain/order"
	"allocation/worker"
)

// read reads a command, or an event of stock.
func (m *message) read(c *worker.Command) {
	if !c.Taken {
		command, refusal := order.DecodeCommand(c.Type, c.Data)
		if refusal != nil {
			m.decision.Refusal = refusal
			return
		}
		m.Message, m.keys = command, command.Keys()
		return
	}
	fact, err := order.ReadFact(c.Type, c.Sequence, c.Cause.CorrelationID, c.Data)
	switch {
	case errors.Is(err, order.ErrNoSequence):
		m.decision.Refusal = &order.Refusal{Reason: order.ReasonMalformed, Message: c.Type + ": " + c.SequenceProblem()}
	case err != nil:
		m.decision.Refusal = &order.Refusal{Reason: order.ReasonMalformed, Message: err.Error()}
	case fact == nil:
		m.decision.Ignored = true
	default:
		m.Message, m.keys = fact, fact.Keys()
	}
}

// readFailed reads what failed, for its key. Reading it may be what failed; then nothing can be
// held.
func (m *message) readFailed(c *worker.Command) {
	defer func() {
		if recover() != nil {
			*m = message{}
		}
	}()
	if c.Refusal == nil {
		m.read(c)
	}
}

// guess reads the key of a command of a later version.
func (m *message) guess(c *worker.Command) {
	switch m.keys = order.GuessNewer(c.Data, c.Key); {
	case m.keys.CustomerID != "":
		m.Message = order.ReviewOrder{} // nobody decides it
	case m.keys.Batch != "":
		m.Message = order.ReviewBatch{}
	}
}
