package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A kind says how a file that is written stands to what another service has.
type kind int

const (
	sameFile        kind = iota // the other writes it, too
	above                       // the other writes a file in whose place a directory is to be
	overTemplate                // the other has it for a template
	besideTemplates             // the other would have it for a partial
)

// A conflict is of what one service writes with what another, or the same, has.
type conflict struct {
	kind          kind
	writer, other *Service
	write         destination
	theirs        destination // of sameFile and above
	reads         reading     // of the others
	stays         string      // says of the one that is not blamed that it is an old self
}

const oldSelf = ", by its old self, which stays in force"

func (x conflict) blameWriter(c *Config) {
	what, hint := "", []string(nil)
	switch x.kind {
	case sameFile:
		what = fmt.Sprintf(" is written by service %q, too, at %s", x.other.Name, x.theirs.at)
	case above:
		what = fmt.Sprintf(" is to stand in %s, which is written as a file at %s", x.theirs.path, x.theirs.at)
	case overTemplate:
		what = fmt.Sprintf(" is the template at %s; it would be overwritten", x.reads.at)
	case besideTemplates:
		what, hint = wouldBePartial, []string{partialHint}
	}
	c.faulty(x.writer, x.write.at, x.write.where, x.write.path+what+x.stays, hint...)
}

func (x conflict) blameOther(c *Config) {
	at, where, what := x.theirs.at, x.theirs.where, x.theirs.path
	switch x.kind {
	case sameFile: // as of the writer, where the two are the other way round
		what += fmt.Sprintf(" is written by service %q, too, at %s", x.writer.Name, x.write.at)
	case above:
		what += fmt.Sprintf(" is written as a file, and %s is to stand in it, at %s", x.write.path, x.write.at)
	default:
		at, where = x.reads.at, x.reads.where
		what = fmt.Sprintf("%s is written by service %q, at %s; a template is a file that stays", x.write.path, x.writer.Name, x.write.at)
	}
	if x.other != x.writer {
		c.faulty(x.other, at, where, what+x.stays)
	}
}

// claims are what services have of each kind of conflict, by path.
type claims map[claimKey][]claim

type claimKey struct {
	kind kind
	path string
}

type claim struct {
	service *Service
	write   destination // of sameFile and above
	reads   reading     // of the others
}

func claimsOf(services []*Service) claims {
	c := make(claims)
	add := func(k kind, path string, one claim) {
		c[claimKey{k, path}] = append(c[claimKey{k, path}], one)
	}
	for _, s := range services {
		for _, d := range s.writes {
			add(sameFile, d.real, claim{service: s, write: d})
			add(above, d.real, claim{service: s, write: d})
		}
		dirs := make(map[string]bool)
		for _, r := range s.reads {
			for _, path := range slices.Compact(r.real[:]) {
				add(overTemplate, path, claim{service: s, reads: r})
			}
			if !dirs[r.dir] {
				dirs[r.dir] = true
				add(besideTemplates, r.dir, claim{service: s, reads: r})
			}
		}
	}
	return c
}

// conflicts finds what services write that conflicts with what others have, or they themselves.
func conflicts(services []*Service, others claims) (list []conflict) {
	for _, s := range services {
		for _, d := range s.writes {
			for _, key := range claimKeys(d) {
				for _, c := range others[key] {
					itself := s == c.service
					// Where two have one name that is what is wrong.
					if itself && key.kind != sameFile || !itself && s.Name != c.service.Name {
						list = append(list, conflict{kind: key.kind, writer: s, other: c.service, write: d, theirs: c.write, reads: c.reads})
					}
				}
			}
		}
	}
	return list
}

// claimKeys gives where a file that is written conflicts with whatever there is.
func claimKeys(d destination) []claimKey {
	dir, name := filepath.Split(d.real)
	dir = filepath.Clean(dir)
	list := []claimKey{{sameFile, d.real}, {overTemplate, d.real}}
	if strings.HasPrefix(name, "_") {
		list = append(list, claimKey{besideTemplates, dir})
	}
	for up := dir; up != "/"; up = filepath.Dir(up) {
		list = append(list, claimKey{above, up})
	}
	return list
}
