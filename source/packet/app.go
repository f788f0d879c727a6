package packet

// App is what the beginning of a payload looks like, or what a tunnel is: one of
// the bytes of package dpd, which alone knows what they mean. It is a hint, taken
// from one packet alone.
type App uint8

// AppNone says that there is no payload, or none that looks like anything.
const AppNone App = 0
