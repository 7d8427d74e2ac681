package member

import (
	"encoding/json"
	"maps"
	"path/filepath"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/watch/fleet"
)

// name is that of the file in the state directory. It is JSON, and replaced whole.
const name = "fleet.json"

// limit bounds it, in bytes.
const limit = 4 << 20

// A record is what is to outlive the process.
type record struct {
	Version  int                     `json:"version"`
	Groups   map[string]fleet.Memory `json:"groups,omitempty"`
	Services map[string]made         `json:"services,omitempty"`
}

// read gives what is on record. Where that cannot be read nothing is known: slots of this host are
// free when their leases end, and what was written counts as owed.
func (m *Members) read() record {
	none := record{Version: 1}
	dir, err := m.Disk.Open(m.State)
	if err != nil {
		return none
	}
	defer dir.Close()
	data, err := dir.Read(name, limit)
	if err != nil {
		return none
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil || r.Version != 1 {
		m.Log.Warn("what was known of the fleet cannot be read, and is begun anew", "path", filepath.Join(m.State, name))
		return none
	}
	return r
}

// remember puts on record what a member is to know. The caller holds the lock.
func (m *Members) remember(group string, memory fleet.Memory) error {
	groups := maps.Clone(m.record.Groups)
	if groups == nil {
		groups = make(map[string]fleet.Memory)
	}
	groups[group] = memory
	was := m.record.Groups
	m.record.Groups = groups
	if err := m.write(); err != nil {
		m.record.Groups = was
		return err
	}
	return nil
}

// write puts everything on record. The caller holds the lock.
func (m *Members) write() error {
	services := maps.Clone(m.record.Services) // of one that is faulty for now it stays
	if services == nil {
		services = make(map[string]made)
	}
	for name, s := range m.services {
		services[name] = s.made
	}
	m.record.Services = services
	data, err := json.Marshal(m.record)
	if err != nil {
		return err
	}
	dir, err := m.Disk.Open(m.State)
	if err != nil {
		return err
	}
	defer dir.Close()
	return disk.Replace(dir, name, append(data, '\n'))
}
