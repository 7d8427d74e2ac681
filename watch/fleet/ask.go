package fleet

import (
	"time"
)

// update asks the table to change an item.
func (m *Member) update(u Update) Answer {
	sent := m.env.Now()
	a := m.env.Update(u)
	m.answered(a, sent)
	return a
}

// query asks the table for items.
func (m *Member) query(q Query) Answer {
	sent := m.env.Now()
	a := m.env.Query(q)
	m.answered(a, sent)
	return a
}

// answered notes what the table says. That it has too much to do is an answer.
func (m *Member) answered(a Answer, sent time.Duration) {
	now := m.env.Now()
	switch {
	case !a.Silent:
		m.silent = -1
	case m.silent < 0:
		m.silent = sent
	}
	switch {
	case a.Err == nil:
		m.refusing = -1
	case m.refusing < 0:
		m.refusing = sent
	}
	m.clock.heard(a, sent, now)
	if m.trouble = a.Err; a.Err != nil {
		m.env.Failed(a.Err)
	}
}

// away is how long the table says nothing before its hosts go by themselves.
const away = 2 * time.Minute

// isAway tells whether the table has said nothing for long, though it was asked, or nothing that is
// of any use for as long as a host waits at most.
func (m *Member) isAway() bool {
	now := m.env.Now()
	return m.silent >= 0 && now-m.silent >= away || m.refusing >= 0 && now-m.refusing >= m.MaxWait
}

// noAnswer says why nobody knows whose turn it is.
func (m *Member) noAnswer() string {
	if m.trouble == nil {
		return "the fleet's table does not say what time it is"
	}
	return "the fleet cannot be asked: " + m.trouble.Error()
}

// soon is when to ask a table again that has given no useful answer.
func (m *Member) soon() time.Duration {
	d := retrySoon + time.Duration(m.env.Chance()*float64(retrySoon))
	if m.alone > 0 {
		return max(time.Second, min(4*d, m.alone-m.env.Now()))
	}
	return d
}
