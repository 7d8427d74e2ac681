package pass

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/sources"
	"github.com/rendered/rendered/watch/ledger"
)

// movedSecret says which secret is another than when the service was last well, or that this is not
// known; "": none is.
func (p *pass) movedSecret(r ledger.Rollout) string {
	switch {
	case r.Secrets == "":
		return "which secrets it was well with is not known"
	case unmoved(r.Secrets, r.New):
		return ""
	}
	for _, n := range r.Refs {
		for _, ref := range p.service.Refs() {
			if ref.String() == n.Ref && p.isSecret(ref) {
				return n.Ref + " has another version"
			}
		}
	}
	return "a secret is another than before"
}

func (p *pass) isSecret(r sources.Ref) bool {
	return slices.ContainsFunc(p.snapshot.Values([]sources.Ref{r}), func(v sources.Value) bool { return v.Secret })
}

// secrets gives a digest of each secret that the files are made of.
func (p *pass) secrets() string {
	var list []string
	for _, r := range sources.Unique(slices.Concat(p.service.Refs(), p.asked)) {
		h := sha256.New()
		for _, v := range p.snapshot.Values([]sources.Ref{r}) {
			if v.Secret {
				write(h, r.String(), v.Text, string(v.Bytes))
				for _, name := range slices.Sorted(maps.Keys(v.Params)) {
					write(h, name, v.Params[name])
				}
				list = append(list, p.machine.Key.Digest("", h.Sum(nil))[:secretDigest])
			}
		}
	}
	slices.Sort(list)
	return cmp.Or(strings.Join(slices.Compact(list), " "), noSecrets)
}

const (
	secretDigest = 16  // characters of what tells a secret's values apart
	noSecrets    = "-" // "" would be that they are not known
)

// unmoved tells whether all secrets of before are as they were. Others may have come.
func unmoved(before, now string) bool {
	if before == noSecrets {
		return true
	}
	have := strings.Fields(now)
	return !slices.ContainsFunc(strings.Fields(before), func(one string) bool { return !slices.Contains(have, one) })
}
