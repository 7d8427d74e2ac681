package fleet

import "maps"

// What a table does with an update. The simulation goes by it; what DynamoDB does is held against
// it.

// holds tells whether a test does for an item, as DynamoDB has it: nothing is less than a number
// that is not there.
func (t Test) holds(i Item) bool {
	value, there := i[t.Attribute]
	switch t.Is {
	case Absent:
		return !there
	case Equal:
		return there && value == t.Value
	}
	number, is := value.(int64)
	limit, ok := t.Value.(int64)
	return is && ok && number < limit
}

// Obey gives what an update makes of an item, nil being none. Where it is not obeyed its conditions
// do not hold, and the item stays as it is.
func (u Update) Obey(old Item) (is Item, obeyed bool) {
	if !u.holds(old) {
		return old, false
	}
	if is = maps.Clone(old); is == nil {
		is = make(Item)
	}
	maps.Copy(is, u.Set)
	for _, attribute := range u.Remove {
		delete(is, attribute)
	}
	for attribute, n := range u.Add {
		is[attribute] = is.Number(attribute) + n
	}
	return is, true
}

// holds tells whether all conditions do for an item, nil being none.
func (u Update) holds(i Item) bool {
	for _, any := range u.If {
		held := false
		for _, t := range any {
			held = held || t.holds(i)
		}
		if !held {
			return false
		}
	}
	return true
}
