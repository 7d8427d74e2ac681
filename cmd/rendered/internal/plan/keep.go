package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rendered/rendered/cmd/rendered/internal/config"
	"github.com/rendered/rendered/watch"
)

// The old self of a service is what was compiled of it when it was last good. It stays in force
// where the next config has the service with a fault: with its files, templates, vars, schedule,
// check and notices. Whom it asks is what the new config says, under aws: and values:.

// choose gives what is to be in force, by name: the services that are good, and old selves of those
// that are not; beside it, what the config has that is not.
func (c *Compiler) choose(cfg *config.Config, list []compiled) (chosen map[string]compiled, faulty []watch.Faulty) {
	kept := c.resolve(cfg)
	chosen = maps.Clone(kept)
	for _, s := range list {
		if len(s.config.Faults) == 0 {
			chosen[s.config.Name] = s
		}
	}
	faulty = append(faultyServices(list, kept, chosen), faultyParts(cfg, list, kept)...)
	slices.SortStableFunc(faulty, func(a, b watch.Faulty) int { return strings.Compare(a.Name(), b.Name()) })
	return chosen, faulty
}

// resolve gives the old selves that stay in force, by name, and adds what two services claim to the
// faults of the config.
func (c *Compiler) resolve(cfg *config.Config) map[string]compiled {
	var inForce []*config.Service
	for _, name := range slices.Sorted(maps.Keys(c.inForce)) {
		inForce = append(inForce, c.inForce[name].config)
	}
	kept := make(map[string]compiled)
	for _, s := range cfg.Resolve(inForce) {
		kept[s.Name] = c.inForce[s.Name]
	}
	return kept
}

// faultyServices gives those services of a config that have faults.
func faultyServices(list []compiled, kept, chosen map[string]compiled) (faulty []watch.Faulty) {
	for _, s := range list {
		if len(s.config.Faults) == 0 {
			continue
		}
		f := watch.Faulty{Service: s.config.Name, Part: s.config.Place.File, Faults: s.config.Faults}
		if _, stays := kept[f.Service]; stays {
			f.Instead = watch.OldSelf
		} else if _, other := chosen[f.Service]; other {
			f.Instead = watch.Namesake
		}
		faulty = append(faulty, f)
	}
	return faulty
}

// faultyParts gives what the config has in parts that cannot be read: the old selves that were in
// them, or the part itself where no service is known of it.
func faultyParts(cfg *config.Config, list []compiled, kept map[string]compiled) (faulty []watch.Faulty) {
	known := make(map[string]bool) // services and parts of which something is said
	for _, s := range list {
		known[s.config.Name], known[s.config.Place.File] = true, true
	}
	for _, p := range cfg.Parts {
		for name, s := range kept {
			if !known[name] && s.config.Place.File == p.Path {
				known[p.Path] = true
				faulty = append(faulty, watch.Faulty{Service: name, Part: p.Path, Instead: watch.OldSelf, Faults: p.Faults})
			}
		}
		if !known[p.Path] {
			faulty = append(faulty, watch.Faulty{Part: p.Path, Faults: p.Faults})
		}
	}
	return faulty
}

// takenOf gives for each service what of the config has a path, where that is asked: a file of a
// service stands for others whose paths are not known.
func takenOf(cfg *config.Config, chosen map[string]compiled) func(service string) func(path string) string {
	var all []*config.Service
	asked := false
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		s := chosen[name].config
		all = append(all, s)
		asked = asked || slices.ContainsFunc(s.Files, func(f config.File) bool { return f.IsEach() })
	}
	if !asked {
		return func(string) func(string) string { return nil }
	}
	taken := cfg.Taken(all)
	return func(service string) func(string) string {
		return func(path string) string { return taken(service, path) }
	}
}

// services gives the services of a plan, in the order of their names. Who is to be asked is a part
// of their fingerprints.
func services(cfg *config.Config, chosen map[string]compiled) (list []*watch.Service) {
	taken := takenOf(cfg, chosen)
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		s := *chosen[name].service
		s.Taken = taken(name)
		for _, print := range []*string{&s.Fingerprint, &s.Settings} {
			sum := sha256.Sum256(fmt.Appendf(nil, "%#v %q\n%s", cfg.AWS, cfg.Values, *print))
			*print = hex.EncodeToString(sum[:])
		}
		list = append(list, &s)
	}
	return list
}
