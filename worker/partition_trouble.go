package worker

import "time"

// trouble is what keeps a partition back for longer than there is patience.
type trouble struct {
	why       string    // as it is in the log; empty: there is none
	unapplied bool      // records may come, and are not applied
	since     time.Time // in the database, too
	saved     string    // as the database has it
}

// findTrouble says what keeps the partition back; empty where nothing does.
func (p *partition) findTrouble(now time.Time, patience time.Duration) (why string) {
	if why = p.whyNothingComes(now, patience); why != "" {
		p.trouble.unapplied = false
		return why
	}
	why = p.whyNothingIsApplied(now, patience)
	p.trouble.unapplied = why != "" || p.trouble.unapplied && p.trouble.why != ""
	return why
}

// whatStands says for people what a partition's trouble is about.
func (p *partition) whatStands() string {
	if p.trouble.unapplied {
		return "nothing is applied"
	}
	return "nothing comes"
}

// isTroubled reports whether the partition does not move, and no person is known to look at it.
func (p *partition) isTroubled() bool { return p.trouble.why != "" && p.state != quarantined }
