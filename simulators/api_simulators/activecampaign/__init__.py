"""ActiveCampaign simulator."""
