package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rendered/rendered/internal/disk"
	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/internal/fault/yamltext"
	"github.com/rendered/rendered/internal/lazyregexp"
)

// names says what secrets are called here that another program knows by paths.
type names struct {
	given map[string]string // by the user's table
	found map[string]string // every path that was asked for, and its name
	owner map[string]string // of a name: the path that has it, without data/
}

// namesFile is the table of names, which is written beside the config.
const namesFile = "secrets.yaml"

// readNames reads a table of names; "" is none.
func readNames(path string) (*names, *fault.Fault) {
	n := &names{given: map[string]string{}, found: map[string]string{}, owner: map[string]string{}}
	if path == "" {
		return n, nil
	}
	text, err := readFile(path, maxConfig)
	if err != nil {
		return nil, &fault.Fault{Place: fault.Place{File: path}, What: disk.Reason(err).Error(), Hints: disk.Hints(err), Err: err}
	}
	documents, failed := yamltext.Documents(text)
	if failed != nil {
		return nil, &fault.Fault{Place: fault.Place{File: path}, What: failed.Error()}
	}
	for _, d := range documents {
		for _, m := range d.Content {
			for i := 0; i+1 < len(m.Content); i += 2 {
				key, value := m.Content[i], m.Content[i+1]
				if len(value.Content) > 0 || value.Value == "" {
					return nil, &fault.Fault{Place: fault.Place{File: path, Line: value.Line, Column: value.Column}, What: "the name of a secret stands here", Hints: []string{"write PATH: NAME, a line each"}}
				}
				n.given[strings.Trim(key.Value, "/")] = value.Value
			}
		}
	}
	return n, nil
}

var (
	mounts     = []string{"secret", "secrets", "kv", "kv-v1", "kv-v2", "kv1", "kv2"}
	noSecret   = lazyregexp.New(`[^A-Za-z0-9/_+=.@!%-]+`)
	theirTable = "# What the secrets are called in Secrets Manager, behind their paths there. Change a name, and run\n#   rendered migrate %s --names %s --output ANOTHER-DIRECTORY …\n"
)

// name gives the name of a secret: that of the table, or else the path without the mount and data/.
func (n *names) name(path string) string {
	path = strings.Trim(path, "/")
	if name, ok := n.given[path]; ok {
		n.found[path] = name
		return name
	}
	parts := strings.Split(path, "/")
	if len(parts) > 2 && parts[1] == "data" {
		parts = slices.Delete(parts, 1, 2)
	}
	whole := strings.Join(parts, "/")
	name := whole
	if len(parts) > 1 && slices.Contains(mounts, parts[0]) {
		name = strings.Join(parts[1:], "/")
	}
	name, plain := noSecret.ReplaceAllString(name, "-"), noSecret.ReplaceAllString(whole, "-")
	for i := 1; n.isOf(name, whole); i++ {
		if name = plain; i > 1 {
			name = plain + "-" + strconv.Itoa(i)
		}
	}
	n.owner[name], n.found[path] = whole, name
	return name
}

// isOf tells whether a name is that of another path than this, without data/.
func (n *names) isOf(name, path string) bool {
	owner, taken := n.owner[name]
	return taken && owner != path
}

// table writes the names for people to change; "" where there are none.
func (n *names) table(program string) string {
	if len(n.found) == 0 {
		return ""
	}
	text := fmt.Sprintf(theirTable, program, namesFile)
	for _, path := range slices.Sorted(maps.Keys(n.found)) {
		text += scalar(path) + ": " + scalar(n.found[path]) + "\n"
	}
	return text
}
