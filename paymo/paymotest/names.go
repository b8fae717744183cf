package paymotest

// The words that companies are made of.

func firstNames() []string {
	return []string{"Ana", "Ben", "Chloé", "David", "Elena", "Farid", "Grace", "Håkon", "Ioana", "Jonas", "Kira", "Liam",
		"Mihai", "Noor", "Oksana", "Pedro", "Quinn", "Rosa", "Søren", "Tomasz", "Uma", "Victor", "Wanda", "Yuki", "Zoë"}
}

func lastNames() []string {
	return []string{"Albu", "Becker", "Castellanos", "Dumont", "Eriksen", "Fischer", "García", "Haddad", "Ionescu", "Jensen",
		"Kowalski", "Lindqvist", "Moreau", "Nakamura", "O'Brien", "Popescu", "Quist", "Rossi", "Šimek", "Tanaka", "Urban", "Vega", "Weiss", "Young"}
}

func clientNames() []string {
	return []string{"Northwind Bikes", "Bluebird Coffee", "Harbour & Sons", "Lumen Optics", "Café Müller", "Redwood Legal",
		"Atlas Freight", "Greenfield Farms", "Cobalt Games", "Vista Dental", "Olive Street Press", "Kestrel Drones",
		"Maple Leaf Tours", "Iron Gate Security", "Polar Foods", "Saffron Textiles", "Tidewater Marina", "Quartz Watches",
		"Fjord Outdoor", "Marigold Health", "Orchard Schools", "Zenith Fitness", "Pioneer Print", "Summit Ski 山"}
}

func projectNames() []string {
	return []string{"Website relaunch", "Brand refresh", "Online shop", "Mobile app", "SEO retainer", "Annual report", "Product launch campaign",
		"Newsletter", "Intranet", "Trade fair stand", "Video series", "Customer portal", "Data migration", "Support & maintenance"}
}

func taskNames() []string {
	return []string{"Kick-off workshop", "Wireframes", "Moodboard", "Homepage design", "Write copy", "Set up hosting", "Build templates",
		"Checkout flow", "Photo shoot", "Translate to French", "Accessibility audit", "Fix login bug", "Load test", "Review with client",
		"Prepare launch", "Train editors", "Analytics set-up", "Image library", "Content import", "Monthly report"}
}

func listNames() []string { return []string{"Discovery", "Design", "Development", "Launch"} }

func itemNames() []string {
	return []string{"Design work", "Development", "Project management", "Hosting", "Copywriting", "Consulting"}
}

func cities() []string {
	return []string{"London", "Berlin", "Oradea", "Montréal", "Chicago", "København", "Lyon", "Porto"}
}

func countries() []string {
	return []string{"GB", "DE", "RO", "CA", "US", "DK", "FR", "PT"}
}

func states() []any { return []any{nil, nil, "Bihor", "QC", "IL", "", nil, nil} }

// phrase is the description of a time entry. Clients of Paymo store HTML and
// entities as well as plain text, and often nothing.
func phrase(n uint64) string {
	phrases := [...]string{"", "", "Layout for the landing page", "Call with the client", "Fixed the checkout bug", "Daily stand-up",
		"<p>Second round of <b>feedback</b></p>", "Client&#039;s corrections &amp; review", "Überarbeitung der Startseite",
		"Research ☕", "Wrote tests for the importer", "Sprint planning\r\nand retrospective", "\"Quoted\" copy, C:\\drafts",
		"Pull request review", "Deployment to staging", "Design system: buttons"}
	return phrases[n%uint64(len(phrases))]
}
