package fleetlock

import _ "github.com/rendered/rendered/internal/long" // its flag
