package security

func needsEachACL(s *site) {}

func needsEachGrant(s *site) {}

func keepsSecrets(s *site) {}
