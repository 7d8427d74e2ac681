package pass

import (
	"hash/maphash"

	"github.com/rendered/rendered/render"
	"github.com/rendered/rendered/render/verify"
)

// A Certificate is what a file's first certificate says.
type Certificate = verify.Certificate

// A content is what a Keeper knows of what a file holds; the zero content is of a file that it has
// not brought up to date yet.
type content struct {
	print       uint64
	certificate *Certificate
}

// contentOf tells what a file is to hold. A certificate is read once.
func (p *pass) contentOf(r *render.Rendering) content {
	print := maphash.Bytes(p.seed, r.Content) | 1
	if was := p.known[r.Path]; was.print == print {
		return was
	}
	return content{print, verify.First(r.Content)}
}
