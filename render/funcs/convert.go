package funcs

import (
	"maps"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// parseBool gives what a text says: 1, t, T, TRUE, true, True, or 0, f, F, FALSE, false, False.
func parseBool(value any) (bool, error) {
	if truth, ok := value.(bool); ok {
		return truth, nil
	}
	printed, err := text("parseBool", value)
	if err != nil {
		return false, err
	}
	truth, err := strconv.ParseBool(printed)
	if err != nil {
		return false, Error("parseBool: this is none of true, t, 1, false, f, 0")
	}
	return truth, nil
}

// splitToMap splits a text into pairs, and each at the first of its inner separators.
func splitToMap(separator, inner, text string) (map[string]any, error) {
	m := make(map[string]any)
	text = strings.TrimSpace(text)
	if separator == "" || inner == "" {
		return nil, Error("splitToMap: a separator is empty")
	}
	if text == "" {
		return m, nil
	}
	for number, pair := range strings.Split(text, separator) {
		key, value, found := strings.Cut(pair, inner)
		if _, twice := m[key]; twice {
			return nil, failf("splitToMap: pair %d has the key of one before", number+1)
		}
		if !found {
			return nil, failf("splitToMap: pair %d has no separator between key and value", number+1)
		}
		m[key] = value
	}
	return m, nil
}

// set gives a copy of a map in which a key has a value.
func set(m map[string]any, key string, value any) map[string]any {
	c := copied(m)
	c[key] = value
	return c
}

// unset gives a copy of a map without a key.
func unset(m map[string]any, key string) map[string]any {
	c := copied(m)
	delete(c, key)
	return c
}

func copied(m map[string]any) map[string]any {
	if m == nil {
		return make(map[string]any)
	}
	return maps.Clone(m)
}

// version gives the parts of a version, by the names of sprig's methods.
func version(text string) (map[string]any, error) {
	v, err := semver.NewVersion(text)
	if err != nil {
		return nil, Error("semver: this is no version as 1.2.3")
	}
	m := map[string]any{"Prerelease": v.Prerelease(), "Metadata": v.Metadata(), "Original": v.Original()}
	for name, n := range map[string]uint64{"Major": v.Major(), "Minor": v.Minor(), "Patch": v.Patch()} {
		number := int64(n)
		if number < 0 {
			return nil, Error("semver: a number does not fit 64 bits")
		}
		m[name] = number
	}
	return m, nil
}
