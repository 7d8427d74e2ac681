package fleet

import "time"

// A clock is what a member knows of the table's time. The machine's own may be set to anything. It
// knows two bounds: the table's time is not before low and not after high.
type clock struct {
	date     time.Time     // of the last answer that had one
	sent     time.Duration // when that was asked for
	received time.Duration // and when it came
}

// margin is for how long after its end a lease is still its holder's: the table's time is in whole
// seconds.
const margin = 2 * time.Second

// heard notes the date of an answer.
func (c *clock) heard(a Answer, sent, received time.Duration) {
	if !a.Date.IsZero() {
		c.date, c.sent, c.received = a.Date, sent, received
	}
}

// known tells whether the table has said what time it is.
func (c *clock) known() bool { return !c.date.IsZero() }

// low gives a time, in milliseconds, that the table's time is not before.
func (c *clock) low(now time.Duration) int64 { return c.date.UnixMilli() + ms(now-c.received) }

// high gives a time, in milliseconds, that the table's time is not after.
func (c *clock) high(now time.Duration) int64 {
	return c.date.UnixMilli() + ms(time.Second) + ms(now-c.sent)
}

// ago gives how long a time of the table has been over.
func (c *clock) ago(at int64, now time.Duration) time.Duration {
	return time.Duration(c.low(now)-at) * time.Millisecond
}

func ms(d time.Duration) int64 { return d.Milliseconds() }

func ofMS(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
