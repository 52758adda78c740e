package outbox

func (b *Budget) now() tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
