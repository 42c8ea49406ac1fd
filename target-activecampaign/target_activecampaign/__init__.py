"""target-activecampaign."""
