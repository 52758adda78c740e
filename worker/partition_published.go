package worker

import "time"

// published is how far a partition's rows are published, and who knows of it. A mark's offset is
// reached when all rows below it are published, so the offset never passes what is applied.
type published struct {
	nextRow int64  // the number of the next row
	marks   []mark // transactions whose rows are not all published yet

	offset    int64 // applied and published up to here; -1: not known yet
	committed int64 // what the group was told; -1: nothing yet
	saved     int64 // the published row that the database has

	saveNow bool      // somebody waits for it
	eager   time.Time // until then somebody waits for its rows one after the other: each is written at once
	asked   bool      // somebody said so, or an operator decided about the partition: saving reports whether the claim holds
}

// mark says that when every row below row is published, the commands below offset are applied and
// published.
type mark struct {
	row, offset int64
}

func publishedOf(c Claim) published {
	return published{
		nextRow: c.NextRow, saved: c.Published, offset: -1, committed: -1,
		marks: []mark{{row: c.NextRow, offset: c.NextOffset}},
	}
}

// add notes the rows of a transaction that applied what comes before an offset.
func (s *published) add(to int64, rows int) {
	s.nextRow += int64(rows)
	if last := len(s.marks) - 1; last >= 0 && s.marks[last].row == s.nextRow {
		s.marks[last].offset = to
		return
	}
	s.marks = append(s.marks, mark{row: s.nextRow, offset: to})
}

// settle moves what is applied and published up to a published row.
func (s *published) settle(row int64) {
	n := 0
	for n < len(s.marks) && s.marks[n].row <= row {
		s.offset = s.marks[n].offset
		n++
	}
	if n > 0 && n == len(s.marks) { // keep the last: transactions without rows move its offset
		n--
	}
	s.marks = s.marks[n:]
}

// nudged notes that somebody waits for rows of the partition.
func (s *published) nudged(now time.Time) {
	s.saveNow, s.asked, s.eager = true, true, now.Add(eagerFor)
}

// report settles a partition up to a published row, and says whether the database and the group are
// to be told.
func (p *partition) report(row int64, now time.Time) (save, commit bool) {
	s := &p.published
	s.settle(row)
	resting := !p.busy && now.Sub(p.movedAt) >= reportEvery
	save = row > s.saved && (resting || s.saveNow || p.state == revoking) || s.asked
	s.saveNow, s.asked = false, false
	return save, s.offset >= 0 && s.offset != s.committed && p.silence.why == nil // or what the group was told is lost before it is compared
}

// saysAtOnce reports whether somebody waits for each of the partition's rows.
func (p *partition) saysAtOnce(now time.Time) bool {
	return !p.published.eager.Before(now) && p.isClaimed()
}

// tellAgain has the group told of the partition with the next report, and reports whether it can
// be.
func (p *partition) tellAgain() bool {
	if p.published.committed < 0 || p.state == reclaiming || p.state == seeking {
		return false
	}
	p.published.committed = -1
	return true
}
