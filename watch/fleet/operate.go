package fleet

// What operators ask of a table, from wherever they are. Each is an update that does what it says
// once, however often, and however late, it comes.

// Freeze has nobody of a group begin anything.
func Freeze(fleet, group, who string) Update {
	return Update{Key: Key{PartOf(fleet, group), stateSort}, Set: Item{"frozen": who}, If: []Any{{absent("frozen")}}}
}

// Thaw takes a freeze back, that of whom is given.
func Thaw(fleet, group, who string) Update {
	return Update{Key: Key{PartOf(fleet, group), stateSort}, Remove: []string{"frozen"}, If: []Any{{equal("frozen", who)}}}
}

// SetMost has so many work at once, whatever the config says; 0: what that says.
func SetMost(fleet, group string, most int) Update {
	u := Update{Key: Key{PartOf(fleet, group), stateSort}, Set: Item{"max_op": int64(most)}}
	if most == 0 {
		u.Set, u.Remove = nil, []string{"max_op"}
	}
	return u
}

// Resume has a change that was halted be tried again, by one host first. The item is as it was
// seen.
func Resume(fleet, group, name string, item Item) Update {
	return Update{
		Key: Key{PartOf(fleet, group), name}, Remove: []string{"halted", "halted_by", "halted_at"}, Add: map[string]int64{"resumes": 1},
		If: []Any{{equal("halted_at", item.Number("halted_at"))}},
	}
}

// Release takes a slot from a host that does not give it back, by the lease that was seen.
func Release(fleet, group string, slot int, lease string) Update {
	return Update{Key: Key{PartOf(fleet, group), slotName(slot)}, Set: Item{"until": int64(0), "over": int64(1), "kept": int64(0)}, If: []Any{{equal("lease", lease)}}}
}
