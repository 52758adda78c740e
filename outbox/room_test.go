package outbox

func (r *Room) now() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used
}
