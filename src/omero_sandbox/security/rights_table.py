# SPDX-License-Identifier: AGPL-3.0-or-later
"""The deny-by-default table: ``Interface.operation`` -> the right it needs.

Grouped by service, reads before writes. A service method that is not listed here cannot be called; a test compares the table
with the services in both directions. See `omero_sandbox.security.rights` for what the rights mean.
"""

from __future__ import annotations

from omero_sandbox.ice.errors import security_violation
from omero_sandbox.security.rights import Right, Rule

__all__ = ["RIGHTS", "rule_for"]

_READ = Rule(Right.ANYONE)
_OBJECT = Rule(Right.OBJECT, writes=True)


def _table(interface: str, operations: str, rule: Rule) -> dict[str, Rule]:
    return {f"{interface}.{operation}": rule for operation in operations.split()}


def _stateful(interface: str) -> dict[str, Rule]:
    """Operations of every stateful service. Closing may write: a file service records size and checksum then."""
    return {
        **_table(interface, "activate passivate getCurrentEventContext", _READ),
        **_table(interface, "close", _OBJECT),
    }


_SESSION_AND_FACTORY = {
    # Sign-in itself is the router's; these need a connection that is signed in to this very session.
    **_table(
        "ServiceFactory",
        """
        getSecurityContexts setSecurityPassword getAdminService getConfigService getContainerService
        getLdapService getPixelsService getProjectionService getQueryService getRenderingSettingsService
        getRepositoryInfoService getRoiService getScriptService getSessionService getShareService
        getTimelineService getTypesService getUpdateService getMetadataService createExporter
        createJobHandle createRawFileStore createRawPixelsStore createRenderingEngine createSearchService
        createThumbnailStore sharedResources getByName createByName subscribe setCallback closeOnDestroy
        detachOnDestroy activeServices keepAllAlive keepAlive setSecurityContext
        """,
        _READ,
    ),
    # The commands check the permission on every object they touch.
    **_table("ServiceFactory", "submit destroy", _OBJECT),
    **_table("Handle", "addCallback removeCallback getRequest getResponse getStatus cancel close", _READ),
    # A session's key is its secret. The service refuses the key of another user's session.
    **_table(
        "ISession",
        """
        getSession getReferenceCount getMyOpenSessions getMyOpenAgentSessions getMyOpenClientSessions
        getInput getOutput setInput setOutput getInputKeys getOutputKeys getInputs getOutputs
        """,
        _READ,
    ),
    **_table("ISession", "closeSession createUserSession", _OBJECT),
    **_table(
        "ISession", "createSessionWithTimeout createSessionWithTimeouts", Rule(Right.ADMIN, writes=True, privilege="Sudo")
    ),
}

_MANAGING_USERS = Rule(Right.ADMIN, writes=True, privilege="ModifyUser")
_MANAGING_GROUPS = Rule(Right.ADMIN, writes=True, privilege="ModifyGroup")

_ADMIN = {
    **_table(
        "IAdmin",
        """
        canUpdate getExperimenter lookupExperimenter lookupExperimenters getGroup lookupGroup lookupGroups
        containedExperimenters containedGroups getDefaultGroup getMemberOfGroupIds getLeaderOfGroupIds
        getCurrentAdminPrivileges getAdminPrivileges getAdminsWithPrivileges getMyUserPhotos
        getSecurityRoles getEventContext lookupLdapAuthExperimenter lookupLdapAuthExperimenters
        """,
        _READ,
    ),
    **_table("IAdmin", "updateSelf setDefaultGroup", Rule(Right.SELF, writes=True, privilege="ModifyUser")),
    # Only about the caller by construction: the service takes the user from the session.
    **_table("IAdmin", "changePasswordWithOldPassword", _OBJECT),
    **_table(
        "IAdmin",
        """
        updateExperimenter updateExperimenterWithPassword createUser createExperimenter
        createExperimenterWithPassword changeUserPassword deleteExperimenter
        """,
        _MANAGING_USERS,
    ),
    **_table(
        "IAdmin",
        "createSystemUser createRestrictedSystemUser createRestrictedSystemUserWithPassword setAdminPrivileges",
        Rule(Right.FULL_ADMIN, writes=True),
    ),
    **_table("IAdmin", "createGroup deleteGroup", _MANAGING_GROUPS),
    **_table(
        "IAdmin", "updateGroup changePermissions", Rule(Right.GROUP_OWNER, writes=True, subject=0, privilege="ModifyGroup")
    ),
    **_table(
        "IAdmin",
        "setGroupOwner unsetGroupOwner addGroupOwners removeGroupOwners",
        Rule(Right.GROUP_OWNER, writes=True, subject=0, privilege="ModifyGroupMembership"),
    ),
    # One user, many groups: the service checks the caller against each group.
    **_table("IAdmin", "addGroups removeGroups", _OBJECT),
    **_table("IConfig", "getVersion getDatabaseUuid getDatabaseTime getServerTime", _READ),
    **_table("IConfig", "getConfigValue getConfigDefaults getClientConfigValues getClientConfigDefaults", _READ),
    # OMERO.web asks for omero.cluster.read_only.* with every user's session, to know whether the server takes changes.
    **_table("IConfig", "getConfigValues", _READ),
    **_table("IConfig", "setConfigValue setConfigValueIfEquals", Rule(Right.FULL_ADMIN, writes=True)),
    **_table("ILdap", "getSetting", _READ),
    **_table(
        "ITypes", "getEnumeration allEnumerations getEnumerationTypes getAnnotationTypes getEnumerationsWithEntries", _READ
    ),
    **_table("ITypes", "getOriginalEnumerations", _READ),
    **_table("ITypes", "createEnumeration", Rule(Right.FULL_ADMIN, writes=True)),
}

_DATA = {
    **_table(
        "IQuery",
        """
        get find findAll findByString findAllByString findByQuery findAllByQuery findAllByFullText
        projection refresh findByExample findAllByExample
        """,
        _READ,
    ),
    **_table(
        "IUpdate",
        "saveObject saveCollection saveAndReturnObject saveArray saveAndReturnArray saveAndReturnIds deleteObject",
        _OBJECT,
    ),
    **_table("IUpdate", "indexObject", _READ),
    **_table(
        "IContainer",
        """
        loadContainerHierarchy findContainerHierarchies getImages getUserImages getImagesByOptions
        getImagesBySplitFilesets getCollectionCount
        """,
        _READ,
    ),
    **_table("IContainer", "createDataObject createDataObjects updateDataObject updateDataObjects link unlink", _OBJECT),
    **_table(
        "IMetadata",
        """
        loadChannelAcquisitionData loadAnnotations loadSpecifiedAnnotations loadTagContent loadTagSets
        getTaggedObjectsCount countSpecifiedAnnotations loadAnnotation loadInstrument
        loadAnnotationsUsedNotOwned countAnnotationsUsedNotOwned loadSpecifiedAnnotationsLinkedTo
        loadLogFiles
        """,
        _READ,
    ),
    **_table(
        "IPixels",
        """
        retrievePixDescription retrieveRndSettings retrieveRndSettingsFor retrieveAllRndSettings
        loadRndSettings getBitDepth getEnumeration getAllEnumerations
        """,
        _READ,
    ),
    **_table("IPixels", "saveRndSettings copyAndResizePixels copyAndResizeImage createImage setChannelGlobalMinMax", _OBJECT),
    **_table("IProjection", "projectPixels", _OBJECT),
    **_table("IProjection", "projectStack", _READ),
    **_table(
        "IRoi", "findByRoi findByImage findByPlane getPoints getShapeStats getShapeStatsList getShapeStatsRestricted", _READ
    ),
    **_table("IRoi", "getRoiStats getRoiMeasurements getMeasuredRois getMeasuredRoisMap getTable", _READ),
    **_table(
        "ITimeline", "getMostRecentAnnotationLinks getMostRecentObjects getByPeriod countByPeriod getEventLogsByPeriod", _READ
    ),
    **_table("IScript", "getScripts getScriptsByMimetype getUserScripts getScriptID canRunScript", _READ),
    **_table(
        "IShare",
        "getOwnShares getMemberShares getSharesOwnedBy getMemberSharesFor getShare activate getMemberCount deactivate",
        _READ,
    ),
    **_table("IRepositoryInfo", "getUsedSpaceInKilobytes getFreeSpaceInKilobytes getUsageFraction", _READ),
    **_stateful("Search"),
    **_table(
        "Search",
        """
        activeQueries setBatchSize getBatchSize setMergedBatches isMergedBatches setCaseSentivice
        setCaseSensitive isCaseSensitive setUseProjections isUseProjections setReturnUnloaded
        isReturnUnloaded setAllowLeadingWildcard isAllowLeadingWildcard onlyType onlyTypes allTypes onlyIds
        onlyOwnedBy onlyCreatedBetween onlyModifiedBetween onlyAnnotatedBetween onlyAnnotatedBy
        addOrderByAsc addOrderByDesc unordered fetchAnnotations resetDefaults byFullText
        byLuceneQueryBuilder clearQueries hasNext next results
        """,
        _READ,
    ),
}

_PIXELS = {
    **_stateful("RawPixelsStore"),
    **_table(
        "RawPixelsStore",
        """
        setPixelsId getPixelsId getPixelsPath prepare getPlaneSize getRowSize getStackSize getTimepointSize
        getTotalSize getRowOffset getPlaneOffset getStackOffset getTimepointOffset getTile getHypercube
        getRegion getRow getCol getPlane getPlaneRegion getStack getTimepoint getHistogram findMinMax
        getByteWidth isSigned isFloat calculateMessageDigest requiresPixelsPyramid getResolutionLevels
        getResolutionDescriptions getResolutionLevel setResolutionLevel getTileSize
        """,
        _READ,
    ),
    **_table("RawPixelsStore", "setTile setRegion setRow setPlane setStack setTimepoint save", _OBJECT),
    **_stateful("RenderingEngine"),
    **_table(
        "RenderingEngine",
        """
        render renderAsPackedInt renderProjectedAsPackedInt renderCompressed renderProjectedCompressed
        getRenderingDefId lookupPixels lookupRenderingDef loadRenderingDef setOverlays load setModel
        getModel getDefaultZ getDefaultT setDefaultZ setDefaultT getPixels getAvailableModels
        getAvailableFamilies setQuantumStrategy setCodomainInterval getQuantumDef setQuantizationMap
        getChannelFamily getChannelNoiseReduction getChannelStats getChannelCurveCoefficient
        setChannelWindow getChannelWindowStart getChannelWindowEnd setRGBA getRGBA setActive isActive
        setChannelLookupTable getChannelLookupTable addCodomainMapToChannel removeCodomainMapFromChannel
        getCodomainMapContext updateSettings setCompressionLevel getCompressionLevel isPixelsTypeSigned
        getPixelsTypeUpperBound getPixelsTypeLowerBound requiresPixelsPyramid getResolutionLevels
        getResolutionDescriptions getResolutionLevel setResolutionLevel getTileSize
        """,
        _READ,
    ),
    **_table("RenderingEngine", "saveCurrentSettings saveAsNewSettings resetDefaultSettings", _OBJECT),
    **_table("IRenderingSettings", "sanityCheckPixels getRenderingSettings createNewRenderingDef resetDefaultsNoSave", _READ),
    **_table(
        "IRenderingSettings",
        """
        resetDefaults resetDefaultsInImage resetDefaultsForPixels resetDefaultsInDataset resetDefaultsInSet
        resetDefaultsByOwnerInSet resetMinMaxInSet applySettingsToSet applySettingsToProject
        applySettingsToDataset applySettingsToImages applySettingsToImage applySettingsToPixels
        setOriginalSettingsInImage setOriginalSettingsForPixels setOriginalSettingsInDataset
        setOriginalSettingsInSet
        """,
        _OBJECT,
    ),
    **_stateful("ThumbnailStore"),
    **_table(
        "ThumbnailStore",
        """
        setPixelsId isInProgress setRenderingDefId getRenderingDefId getThumbnail getThumbnailWithoutDefault
        getThumbnailSet getThumbnailByLongestSideSet getThumbnailByLongestSide
        getThumbnailByLongestSideDirect getThumbnailDirect getThumbnailForSectionDirect
        getThumbnailForSectionByLongestSideDirect thumbnailExists createThumbnail createThumbnails
        createThumbnailsByLongestSideSet
        """,
        _READ,
    ),
    **_table("ThumbnailStore", "resetDefaults", _OBJECT),
    **_stateful("Exporter"),
    **_table("Exporter", "addImage generateXml generateTiff read", _READ),
}

_FILES_AND_TABLES = {
    **_stateful("RawFileStore"),
    **_table("RawFileStore", "setFileId getFileId read size exists", _READ),
    **_table("RawFileStore", "write truncate save", _OBJECT),
    **_table("SharedResources", "areTablesEnabled repositories getScriptRepository", _READ),
    **_table("SharedResources", "openTable", _READ),
    **_table("SharedResources", "newTable", _OBJECT),
    **_table("SharedResources", "acquireProcessor", _READ),
    **_table(
        "Table",
        "getOriginalFile getHeaders getNumberOfRows getWhereList readCoordinates read slice getAllMetadata getMetadata",
        _READ,
    ),
    **_table("Table", "addData update setAllMetadata setMetadata initialize addColumn delete close", _OBJECT),
}

RIGHTS: dict[str, Rule] = {**_SESSION_AND_FACTORY, **_ADMIN, **_DATA, **_PIXELS, **_FILES_AND_TABLES}


def rule_for(operation: str) -> Rule:
    """Return the rule of ``Interface.operation``; raise ``omero.SecurityViolation`` when it has none."""
    rule = RIGHTS.get(operation)
    if rule is None:
        raise security_violation(f"{operation} is not open to anyone.")
    return rule
