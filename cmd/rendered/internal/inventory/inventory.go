// Package inventory has the SSM Agent report which versions of what is looked up the files of this
// machine were made from, as an inventory of a type of our own.
//
// The agent reads a file of JSON, takes values that are texts, and drops an entry with more than 50
// attributes, or with a value of more than 4,096 bytes (its
// agent/plugins/inventory/gatherers/custom, and InventoryItem in the API reference of Systems
// Manager). AWS takes 10,000 entries of a type, and 1 MB of all types of a node at once; of a node
// that has more it takes none ("Systems Manager endpoints and quotas" in the AWS General
// Reference).
package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rendered/rendered/watch"
)

const (
	// TypeName is what the entries are kept under.
	TypeName = "Custom:Rendered"
	// schemaVersion is that of their attributes.
	schemaVersion = "1.0"
	// mostValue bounds a value, in bytes.
	mostValue = 4096
	// mostEntries bounds the entries.
	mostEntries = 10_000
	// mostBytes bounds the file: half of what AWS takes at once is left for what else the agent
	// reports.
	mostBytes = 512 << 10
)

// An entry is of one lookup of a service. Its attributes are texts; what is not known is "".
type entry struct {
	Service string `json:"service"`
	Ref     string `json:"ref"`     // as errors name it: "secret prod/db"
	Version string `json:"version"` // that was read last
	Live    string `json:"live"`    // that the files are of
	Since   string `json:"since"`   // when it was first read, as RFC 3339 has it, in UTC
	State   string `json:"state"`   // of the service
}

// Of gives what is reported of how a loop stands, and how many lookups are left out because there
// are too many. Lookups whose names a template computes are never in it.
func Of(st watch.Status) (data []byte, left int) {
	var lines []string
	size := 0
	for i, detail := range st.Details {
		for _, l := range detail.Lookups {
			line, _ := json.Marshal(entry{ // there is nothing in it that JSON has no form for
				Service: within(st.Services[i].Service), Ref: within(l.Ref.String()), Version: within(l.Version), Live: within(l.Live),
				Since: moment(l.Since), State: string(st.Services[i].State()),
			})
			if size += len(line); len(lines) == mostEntries || size > mostBytes {
				left++
				continue
			}
			lines = append(lines, string(line))
		}
	}
	return fmt.Appendf(nil, "{\"SchemaVersion\":%q,\"TypeName\":%q,\"Content\":[\n%s\n]}\n", schemaVersion, TypeName, strings.Join(lines, ",\n")), left
}

// within cuts a value that is too long, at the end of a character.
func within(text string) string {
	if len(text) <= mostValue {
		return text
	}
	end := mostValue
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
