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

// remember puts on record what the member of a group is to know.
func (m *Members) remember(group string, memory fleet.Memory) error {
	m.mu.Lock()
	was := m.record.Groups[group]
	m.memorize(group, memory)
	m.mu.Unlock()
	err := m.write()
	if err != nil {
		m.mu.Lock()
		m.memorize(group, was)
		m.mu.Unlock()
	}
	return err
}

// memorize notes what is to be on record of a group. The caller holds the lock.
func (m *Members) memorize(group string, memory fleet.Memory) {
	if m.record.Groups == nil {
		m.record.Groups = make(map[string]fleet.Memory)
	}
	m.record.Groups[group] = memory
}

// write puts on record what is known by now. The caller does not hold the lock, which the loop
// takes: a disk may be slow.
func (m *Members) write() error {
	m.writing.Lock()
	defer m.writing.Unlock()
	data, err := m.recorded()
	if err != nil {
		return err
	}
	dir, err := m.Disk.Open(m.State)
	if err != nil {
		return err
	}
	defer dir.Close()
	return disk.Replace(dir, name, data)
}

// recorded gives what is to be on record.
func (m *Members) recorded() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	services := maps.Clone(m.record.Services) // of one that is faulty for now it stays
	if services == nil {
		services = make(map[string]made)
	}
	for name, s := range m.services {
		services[name] = s.made
	}
	m.record.Services = services
	data, err := json.Marshal(m.record)
	return append(data, '\n'), err
}
