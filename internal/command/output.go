package command

import (
	"bytes"
	"fmt"
)

// A capture keeps the head and the tail of what is written to it, limit bytes together.
//
// It leaves out whole lines only: whoever filters secrets out of the output must not meet the half
// of one.
type capture struct {
	limit int
	head  []byte // the first half of the limit
	// tail is at least the second half and the byte before it. What is older is dropped now and
	// then.
	tail  []byte
	total int64
}

// Write never fails.
func (c *capture) Write(p []byte) (int, error) {
	n := len(p)
	c.total += int64(n)
	room := min(c.limit-c.limit/2-len(c.head), n)
	c.head = append(c.head, p[:room]...)
	c.tail = append(c.tail, p[room:]...)
	if most := c.limit/2 + 1; len(c.tail) > 2*most {
		c.tail = c.tail[:copy(c.tail, c.tail[len(c.tail)-most:])]
	}
	return n, nil
}

// Bytes gives what was kept. Where something is missing, a line between head and tail says how
// much.
func (c *capture) Bytes() []byte {
	if c.total <= int64(c.limit) {
		return append(c.head, c.tail...)
	}
	// tail has one byte more, which may be the end of the line before.
	head, tail := c.head, c.tail[max(0, len(c.tail)-c.limit/2-1):]
	head = head[:bytes.LastIndexByte(head, '\n')+1]
	if i := bytes.IndexByte(tail, '\n'); i >= 0 {
		tail = tail[i+1:]
	} else {
		tail = nil
	}
	missing := c.total - int64(len(head)) - int64(len(tail))
	return fmt.Appendf(nil, "%s… %d bytes left out …\n%s", head, missing, tail)
}
