package outbox

func (r *room) now() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}
